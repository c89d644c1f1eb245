locals {
  hop = "ingress/${var.name}"

  # By way of the bus, so that rules wait for it.
  bus_name = var.existing_bus == null ? aws_cloudwatch_event_bus.this[0].name : var.event_source_name
  bus_arn  = var.existing_bus == null ? aws_cloudwatch_event_bus.this[0].arn : var.existing_bus.arn
  sources  = coalesce(var.sources, [var.event_source_name])
}

# Associates the source: EventBridge wants a bus that has the source's very name.
resource "aws_cloudwatch_event_bus" "this" {
  count = var.existing_bus == null ? 1 : 0

  name               = var.event_source_name
  event_source_name  = var.event_source_name
  kms_key_identifier = one(var.settings.kms_key[*].arn)
  tags               = var.settings.tags

  dynamic "dead_letter_config" {
    for_each = var.settings.kms_key == null ? [] : [module.dead_letters[0].arn] # all of the module would be a cycle

    content {
      arn = dead_letter_config.value
    }
  }
}

# With a key of its own, EventBridge may fail to encrypt or decrypt an event, which reaches no rule then. Only the partner can
# send it again.
module "dead_letters" {
  source = "../internal/bus-dead-letters"
  count  = var.settings.kms_key != null && var.existing_bus == null ? 1 : 0

  name           = var.name
  bus_arn        = local.bus_arn
  redrive_target = "none"
  settings       = var.settings
  failure        = var.failure
}

resource "aws_cloudwatch_event_archive" "this" {
  count = var.archive == null ? 0 : 1

  name             = var.name
  description      = "Events of ${var.event_source_name}, for archive replays"
  event_source_arn = local.bus_arn
  retention_days   = var.archive.retention_days
  event_pattern    = var.archive.pattern
}

################################################################################
# Into the envelope: rule -> queue -> function -> bus
################################################################################

module "ingress" {
  source = "../internal/bus-ingress"
  count  = var.forward_unmodified ? 0 : 1

  name              = var.name
  ingress           = "partner-bus"
  source_bus_arn    = local.bus_arn
  bus_arn           = var.bus_arn
  partners          = { partner = { name = var.partner, sources = local.sources, specification = var.specification, pattern = var.pattern } }
  rule_retry        = var.rule_retry
  max_entry_bytes   = var.max_entry_bytes
  idempotency_table = var.idempotency_table
  existing_dlq      = var.existing_dlq

  settings = var.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}
