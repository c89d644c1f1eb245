# rule -> function, asynchronously. Two things can fail, and both end in one dead-letter queue: EventBridge can't reach the function
# (the rule's target has the queue as its own), or the function fails on every attempt (its on-failure destination).

locals {
  dlq_name = "${var.name}-dlq"

  own_bucket = var.configuration != null && var.settings.bucket == null
  settings   = local.own_bucket ? merge(var.settings, { bucket = module.bucket[0].bucket }) : var.settings

  environment = merge(
    {
      HOP                   = var.hop
      INVOCATION            = "direct"
      DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dlq.url
    },
    var.environment,
  )

  # The function itself sends events that it gives up on at once. Lambda, with the function's role, sends those that fail on every attempt.
  policy_statements = merge(
    { GiveUp = { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.dlq.arn], conditions = [] } },
    var.policy_statements,
  )
}

module "bucket" {
  source = "../storage-bucket"
  count  = local.own_bucket ? 1 : 0

  name     = lower(replace(var.name, "_", "-"))
  settings = var.settings
}

module "function" {
  source = "../lambda-function"

  name              = var.name
  hop               = var.hop
  dead_lettered     = true
  description       = var.description
  handler           = var.handler
  function          = var.function
  settings          = local.settings
  configuration     = var.configuration
  environment       = local.environment
  policy_statements = local.policy_statements
  layers            = var.layers

  # Redrive sends what it gives up on to the bus again, whose rule invokes it. Lambda does not follow a chain through EventBridge today.
  recursive_loop = "Allow"
}

################################################################################
# Rules that invoke it
################################################################################

resource "aws_lambda_permission" "rule" {
  for_each = var.rules

  statement_id  = "AllowRule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  principal     = "events.amazonaws.com"
  source_arn    = each.value
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = module.function.function_name
  maximum_retry_attempts       = var.function_retry.max_attempts
  maximum_event_age_in_seconds = var.function_retry.max_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dlq.arn
    }
  }
}

################################################################################
# Dead letters
################################################################################

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Composed, so that the policy is inline: the provider waits for every separate one. The account comes from the role, since a
  # data source would have to ask AWS.
  dlq_arn = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${split(":", module.function.role_arn)[4]}:${local.dlq_name}"
}

# Standard: EventBridge and Lambda send to no FIFO queue.
resource "aws_sqs_queue" "dlq" {
  name                       = local.dlq_name
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = var.settings.kms_key == null ? true : null
  kms_master_key_id          = one(var.settings.kms_key[*].arn)
  tags                       = var.settings.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.dlq_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.dlq_arn
        Condition = { ArnEquals = { "aws:SourceArn" = values(var.rules) } }
      },
    ]
  })

  # Rules and the function send here; no queue may make it its own dead-letter queue.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}
