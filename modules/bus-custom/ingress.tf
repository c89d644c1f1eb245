################################################################################
# Into the envelope: partners' events from this bus, AWS services' from the default bus
################################################################################

locals {
  ingresses = merge(
    length(var.partners) == 0 ? {} : {
      partners = {
        source_bus_arn = local.bus.arn
        partners       = { for name, partner in var.partners : name => { sources = partner.sources, specification = partner.specification, pattern = partner.pattern } }
      }
    },
    # A rule could forward these events, but only as they are: no program may put events under a source of AWS's.
    length(var.aws_services) == 0 ? {} : {
      services = {
        source_bus_arn = replace(local.bus.arn, "/event-bus/.*$/", "event-bus/default")
        partners       = { for name, service in var.aws_services : name => { sources = service.sources, specification = service.specification, pattern = service.pattern } }
      }
    },
  )

  make_bucket = var.settings.bucket == null && length(var.partners) + length(var.aws_services) > 0
  settings    = local.make_bucket ? merge(var.settings, { bucket = module.bucket[0].bucket }) : var.settings
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = local.make_bucket ? 1 : 0

  name     = lower(replace(var.name, "_", "-"))
  settings = var.settings
}

# One for each, so that a flood of S3's does not keep partners waiting.
module "ingress" {
  source   = "../internal/bus-ingress"
  for_each = local.ingresses

  name              = "${var.name}-${each.key}"
  ingress           = "custom-bus"
  source_bus_arn    = each.value.source_bus_arn
  bus_arn           = local.bus.arn
  partners          = each.value.partners
  watch_rules       = each.key != "partners" # alarms.tf watches this bus's
  rule_retry        = var.rule_retry
  max_entry_bytes   = var.max_entry_bytes
  idempotency_table = var.idempotency_table
  existing_dlq      = var.existing_dlqs[each.key]

  settings = local.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}
