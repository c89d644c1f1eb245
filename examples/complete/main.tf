# The whole path in plain HCL: a webhook for two partners, the bus, transforms and routes, and the review of dead letters.
#
# In another repository: source = "git::https://github.com/<owner>/<repository>//modules/<module>?ref=<tag>"

module "storage" {
  source = "../../modules/internal/storage-bucket"

  name     = var.name
  settings = local.common
}

# The functions' code, uploaded once for all of them.
module "package" {
  source = "../../modules/internal/lambda-package"

  settings = merge(local.common, { bucket = module.storage.bucket })
}

locals {
  common = {
    permissions_boundary_arn = var.permissions_boundary_arn
    role_path                = var.role_path
    vpc                      = var.vpc
    tags                     = { project = var.name }
  }

  # The same for every module. The review reads every dead-letter queue, and alarms for them.
  settings = merge(local.common, {
    bucket  = module.storage.bucket
    package = module.package.package
    alarms  = { reviewed = true }
  })
}

module "bus" {
  source = "../../modules/bus-custom"

  name     = var.name
  archive  = { retention_days = 30 }
  settings = local.settings
}

module "webhooks" {
  source = "../../modules/ingress-apigw"

  name     = "${var.name}-webhooks"
  bus_arn  = module.bus.bus_arn
  settings = local.settings

  partners = {
    mux     = { specification = jsonencode({ preset = "mux" }) }
    frameio = { specification = jsonencode({ preset = "frameio-v4" }) }
  }
}

module "router" {
  source = "../../modules/router"

  name        = var.name
  bus_arn     = module.bus.bus_arn
  watch_rules = false # the bus watches them
  settings    = local.settings

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
      target  = { step_functions = { state_machine_arn = module.ingest.state_machine_arn } }
    }
  }
}

module "review" {
  source = "../../modules/dlq-review"

  name                = "${var.name}-review"
  name_prefix         = "${var.name}-"
  bus_arn             = module.bus.bus_arn
  archive             = module.bus.archive
  deletion_protection = var.deletion_protection
  settings            = local.settings

  dead_letter_queues = local.dead_letter_queues

  # Operators may look at these, besides the queues: `media-events trace` searches the logs.
  log_group_names    = local.log_group_names
  idempotency_tables = local.idempotency_tables
  state_machine_arns = local.state_machine_arns
}

module "dashboard" {
  source = "../../modules/dashboard"

  name               = var.name
  bus_arn            = module.bus.bus_arn
  function_arns      = merge(module.webhooks.function_arns, module.router.function_arns, module.review.function_arns)
  dead_letter_queues = local.dead_letter_queues
  log_group_names    = merge(local.log_group_names, module.review.log_group_names)
}

################################################################################
# Downstream
################################################################################

resource "aws_secretsmanager_secret" "catalogue" {
  name = "${var.name}/catalogue"
  tags = local.common.tags
}

resource "aws_sqs_queue" "comments" {
  name                    = "${var.name}-comments"
  sqs_managed_sse_enabled = true
  tags                    = local.common.tags
}

module "ingest" {
  source = "../../modules/state-machine"

  name     = "${var.name}-ingest"
  settings = local.settings

  definition = jsonencode({
    Comment = "Where the real ingest would follow"
    StartAt = "Accept"
    States  = { Accept = { Type = "Succeed" } }
  })
}

locals {
  dead_letter_queues = merge(module.webhooks.dead_letter_queues, module.router.dead_letter_queues)
  idempotency_tables = merge(module.webhooks.idempotency_tables, module.router.idempotency_tables)
  log_group_names    = merge(module.webhooks.log_group_names, module.router.log_group_names)
  state_machine_arns = { start-ingest = module.ingest.state_machine_arn }
}
