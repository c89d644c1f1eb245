# The whole path in plain HCL: a webhook for two partners, the bus, transforms and routes, and the review of what fails.
#
# In another repository: source = "git::https://github.com/<owner>/<repository>//modules/<module>?ref=<tag>"

module "storage" {
  source = "../../modules/internal/storage-bucket"

  name = var.name
  tags = local.tags
}

# The functions' code, uploaded once for all of them.
module "package" {
  source = "../../modules/internal/lambda-package"

  bucket = local.bucket
  tags   = local.tags
}

module "bus" {
  source = "../../modules/bus-custom"

  name    = var.name
  archive = { retention_days = 30 }
  tags    = local.tags
}

module "webhooks" {
  source = "../../modules/ingress-apigw"

  name           = "${var.name}-webhooks"
  bus_arn        = module.bus.bus_arn
  bucket         = local.bucket
  lambda_package = module.package.lambda_package
  tags           = local.tags

  partners = {
    mux     = { specification = jsonencode({ preset = "mux" }) }
    frameio = { specification = jsonencode({ preset = "frameio-v4" }) }
  }
}

module "router" {
  source = "../../modules/router"

  name           = var.name
  bus_name       = module.bus.bus_name
  bus_arn        = module.bus.bus_arn
  bucket         = local.bucket
  lambda_package = module.package.lambda_package
  tags           = local.tags

  transforms = {
    catalogue-record = {
      pattern = jsonencode({ source = ["partner.mux"] })
      steps = jsonencode([
        { map = { asset = "metadata.subject", duration_seconds = "data.data.duration", resolution = "data.data.resolution_tier" } },
      ])
    }
  }

  routes = {
    catalogue = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target = {
        http = {
          url                   = var.catalogue_url
          auth                  = { type = "standard-webhooks", secret_arn = aws_secretsmanager_secret.catalogue.arn }
          allow_http            = startswith(var.catalogue_url, "http://")
          allowed_private_cidrs = var.catalogue_private_cidrs
        }
      }
    }

    review-comments = {
      pattern = jsonencode({ source = ["partner.frameio"], detail-type = [{ prefix = "comment." }] })
      stage   = "received" # no transform takes them
      target = {
        sqs = {
          queue_arn           = aws_sqs_queue.comments.arn
          queue_url           = aws_sqs_queue.comments.url
          manage_queue_policy = true
        }
      }
    }

    start-ingest = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { states = { state_machine_arn = module.ingest.state_machine_arn } }
    }
  }
}

module "review" {
  source = "../../modules/dlq-review"

  name                = "${var.name}-review"
  bus_arn             = module.bus.bus_arn
  bucket              = local.bucket
  lambda_package      = module.package.lambda_package
  deletion_protection = var.deletion_protection
  tags                = local.tags

  dead_letter_queues = merge(
    module.webhooks.dead_letter_queues,
    module.router.dead_letter_queues,
  )

  # What operators may look at, besides the queues: `media-events trace` searches the logs.
  log_group_names    = local.log_group_names
  ledger_table_arns  = [module.webhooks.ledger_table_arn]
  state_machine_arns = local.state_machine_arns
}

################################################################################
# What is downstream
################################################################################

resource "aws_secretsmanager_secret" "catalogue" {
  name = "${var.name}/catalogue"
  tags = local.tags
}

resource "aws_sqs_queue" "comments" {
  name                    = "${var.name}-comments"
  sqs_managed_sse_enabled = true
  tags                    = local.tags
}

module "ingest" {
  source = "../../modules/state-machine"

  name = "${var.name}-ingest"
  tags = local.tags

  definition = jsonencode({
    Comment = "Where the real ingest would follow"
    StartAt = "Accept"
    States  = { Accept = { Type = "Succeed" } }
  })
}

locals {
  log_group_names    = merge({ "ingress/${var.name}-webhooks" = module.webhooks.log_group_name }, module.router.log_group_names)
  state_machine_arns = { start-ingest = module.ingest.state_machine_arn }

  bucket = { name = module.storage.bucket_name, arn = module.storage.bucket_arn }
  tags   = { project = var.name }
}
