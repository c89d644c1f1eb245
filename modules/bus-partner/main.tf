locals {
  # By way of the bus, so that rules wait for it.
  bus_name = var.existing_bus_arn == null ? aws_cloudwatch_event_bus.this[0].name : var.event_source_name
  bus_arn  = var.existing_bus_arn == null ? aws_cloudwatch_event_bus.this[0].arn : var.existing_bus_arn
  sources  = coalesce(var.sources, [var.event_source_name])
}

# Associates the source: EventBridge wants a bus that has the source's very name.
resource "aws_cloudwatch_event_bus" "this" {
  count = var.existing_bus_arn == null ? 1 : 0

  name               = var.event_source_name
  event_source_name  = var.event_source_name
  kms_key_identifier = var.kms_key_arn
  tags               = var.tags
}

resource "aws_cloudwatch_event_archive" "this" {
  count = var.archive == null ? 0 : 1

  name             = var.name
  description      = "Events of ${var.event_source_name}, for replays"
  event_source_arn = local.bus_arn
  retention_days   = var.archive.retention_days
  event_pattern    = var.archive.pattern
}

################################################################################
# With transformation: rule -> queue -> function -> bus
################################################################################

module "ingress" {
  source = "../internal/bus-ingress"
  count  = var.transform ? 1 : 0

  name     = var.name
  bus_name = local.bus_name
  bus_arn  = var.bus_arn
  partners = { (var.partner) = { sources = local.sources, specification = var.specification, pattern = var.pattern } }

  rule_retry                     = var.rule_retry
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
