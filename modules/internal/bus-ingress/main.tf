locals {
  entry = startswith(var.bus_name, "aws.partner/") ? "partner-bus" : "custom-bus"

  # Only sources that are configured, and none of the kit's own: what the function publishes on the same bus does not
  # come here again.
  patterns = { for partner, settings in var.partners : partner => jsonencode(merge(
    try(jsondecode(settings.pattern), {}),
    {
      source = concat(
        [for source in settings.sources : source if !endswith(source, "*")],
        [for source in settings.sources : { prefix = trimsuffix(source, "*") } if endswith(source, "*")],
      )
    },
  )) }
}

################################################################################
# Rules
################################################################################

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.partners

  name           = "${var.name}-${each.key}"
  description    = "Takes the events of ${each.key} to ingress/${var.name}"
  event_bus_name = var.bus_name
  event_pattern  = local.patterns[each.key]
  tags           = var.tags

  lifecycle {
    precondition {
      condition     = length(local.patterns[each.key]) <= 2048
      error_message = "The pattern of ${each.key} has ${length(local.patterns[each.key])} characters with its sources; EventBridge allows 2048."
    }
  }
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.partners

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = var.bus_name
  target_id      = "queue"
  arn            = module.ingress.queue_arn

  dead_letter_config {
    arn = module.ingress.dlq_arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = var.rule_retry.max_age_seconds
    maximum_retry_attempts       = var.rule_retry.max_attempts
  }
}

################################################################################
# Queue and function
################################################################################

module "ingress" {
  source = "../queue-ingress"

  name     = var.name
  entry    = local.entry
  bus_arn  = var.bus_arn
  partners = { for partner, settings in var.partners : partner => { specification = settings.specification, sources = settings.sources } }

  allowed_rule_arns              = values(aws_cloudwatch_event_rule.this)[*].arn
  max_receive_count              = var.max_receive_count
  retry                          = var.retry
  visibility_timeout_seconds     = var.visibility_timeout_seconds
  dlq_visibility_timeout_seconds = var.dlq_visibility_timeout_seconds
  redrive                        = var.redrive

  enabled              = var.enabled
  batch_size           = var.batch_size
  batch_window_seconds = var.batch_window_seconds
  maximum_concurrency  = var.maximum_concurrency
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  runtime              = var.runtime
  architecture         = var.architecture
  log_level            = var.log_level
  max_entry_bytes      = var.max_entry_bytes

  bucket                   = var.bucket
  ledger_table             = var.ledger_table
  alarm_thresholds         = var.alarm_thresholds
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
