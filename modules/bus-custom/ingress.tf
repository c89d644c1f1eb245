################################################################################
# Raw events into the envelope: producers' from this bus, AWS services' from the default bus
################################################################################

locals {
  ingresses = merge(
    length(var.raw_producers) == 0 ? {} : {
      producers = {
        bus_name = aws_cloudwatch_event_bus.this.name
        partners = { for name, producer in var.raw_producers : name => { sources = producer.sources, specification = producer.specification, pattern = producer.pattern } }
      }
    },
    # A rule could forward these events, but only as they are: no program may put events under a source of AWS's.
    length(var.aws_services) == 0 ? {} : {
      services = {
        bus_name = "default"
        partners = { for name, service in var.aws_services : name => { sources = service.sources, specification = service.specification, pattern = service.pattern } }
      }
    },
  )

  make_bucket = var.bucket == null && length(var.raw_producers) + length(var.aws_services) > 0
  bucket      = local.make_bucket ? { name = module.bucket[0].bucket_name, arn = module.bucket[0].bucket_arn } : var.bucket
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = local.make_bucket ? 1 : 0

  name        = lower(replace(var.name, "_", "-"))
  kms_key_arn = var.kms_key_arn
  tags        = var.tags
}

# One for each, so that a flood of S3's does not keep producers waiting.
module "ingress" {
  source   = "../internal/bus-ingress"
  for_each = local.ingresses

  name     = "${var.name}-${each.key}"
  bus_name = each.value.bus_name
  bus_arn  = aws_cloudwatch_event_bus.this.arn
  partners = each.value.partners

  timeout_seconds      = var.ingress.timeout_seconds
  memory_mb            = var.ingress.memory_mb
  batch_size           = var.ingress.batch_size
  batch_window_seconds = var.ingress.batch_window_seconds
  maximum_concurrency  = var.ingress.maximum_concurrency
  max_receive_count    = var.ingress.max_receive_count
  retry                = var.ingress.retry
  rule_retry           = var.ingress.rule_retry
  max_entry_bytes      = var.ingress.max_entry_bytes
  log_level            = var.ingress.log_level
  redrive              = var.redrive

  bucket                   = local.bucket
  ledger_table             = var.ledger_table
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
