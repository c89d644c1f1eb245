locals {
  source_bus_name = split("event-bus/", var.source_bus_arn)[1]

  # The rules below, by the beginning of their names: with a list of them the queue's policy would outgrow the 8192 bytes that SQS takes.
  # On this bus of this account such names are this deployment's, and a rule sends only to its own targets.
  # A rule of the default bus has no bus in its ARN.
  rule_arns = "${replace(var.source_bus_arn, "/:event-bus/.*$/", ":rule/")}${local.source_bus_name == "default" ? "" : "${local.source_bus_name}/"}${var.name}-*"

  names = { for key, partner in var.partners : key => coalesce(partner.name, key) }

  # Only sources that are configured, and none that begins with partner.: events that the function publishes on the same bus do not
  # come here again.
  source_conditions = { for key, partner in var.partners : key => {
    source = concat(
      [for source in partner.sources : source if !endswith(source, "*")],
      [for source in partner.sources : { prefix = trimsuffix(source, "*") } if endswith(source, "*")],
    )
  } }

  # As in hop-definitions/patterns.tf: where an alternative names a source, the condition belongs into the others.
  user_patterns = { for key, partner in var.partners : key => try(merge(jsondecode(partner.pattern)), {}) }
  alternatives  = { for key, pattern in local.user_patterns : key => try([for alternative in pattern["$or"] : alternative], []) }
  alternatives_name_source = { for key, alternatives in local.alternatives : key => [
    for alternative in alternatives : can(alternative.source) || anytrue([for inner in try(alternative["$or"], []) : can(inner.source)])
  ] }
  patterns = { for key, pattern in local.user_patterns : key => jsonencode(merge(
    pattern,
    { for field, value in local.source_conditions[key] : field => value if !anytrue(local.alternatives_name_source[key]) },
    { for field, value in { "$or" = [for index, alternative in local.alternatives[key] : merge(
      alternative,
      { for field, value in local.source_conditions[key] : field => value if !local.alternatives_name_source[key][index] },
      { for field, value in { "$or" = [for inner in try(alternative["$or"], []) : merge(local.source_conditions[key], inner)] } :
      field => value if local.alternatives_name_source[key][index] && !can(alternative.source) },
    )] } : field => value if anytrue(local.alternatives_name_source[key]) },
  )) }

  # AWS counts the characters themselves, jsonencode escapes some of them: hop-definitions/patterns.tf says how that is known.
  pattern_lengths = { for key, pattern in local.patterns : key =>
    length(replace(replace(replace(pattern, "\\u003c", "<"), "\\u003e", ">"), "\\u0026", "&"))
  }

  # Sources that alternatives name, of which only the partner's own may be taken.
  named_sources = { for key, alternatives in local.alternatives : key => flatten([
    for alternative in alternatives : [for each in concat([alternative], try([for inner in alternative["$or"] : inner], [])) : try(each.source, [])]
  ]) }
  foreign_sources = { for key, sources in local.named_sources : key => [
    for source in sources : jsonencode(source) if !anytrue([
      for own in var.partners[key].sources : try(endswith(own, "*") ? startswith(source, trimsuffix(own, "*")) : source == own, false)
    ])
  ] }
}

################################################################################
# Rules
################################################################################

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.partners

  name           = "${var.name}-${local.names[each.key]}"
  description    = "Takes the events of ${local.names[each.key]} to ingress/${var.name}"
  event_bus_name = local.source_bus_name
  event_pattern  = local.patterns[each.key]
  tags           = var.settings.tags

  lifecycle {
    precondition {
      condition     = local.pattern_lengths[each.key] <= 2048
      error_message = "The pattern of ${local.names[each.key]} has ${local.pattern_lengths[each.key]} characters with its sources; EventBridge allows 2048."
    }
    precondition {
      condition     = length(local.foreign_sources[each.key]) == 0
      error_message = "The pattern of ${local.names[each.key]} names ${join(" and ", local.foreign_sources[each.key])} in $or, which is none of its sources: name one of these in full."
    }
  }
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.partners

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.source_bus_name
  target_id      = "queue"
  arn            = module.ingress.queue.arn

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
  ingress  = var.ingress
  bus_arn  = var.bus_arn
  partners = { for key, partner in var.partners : local.names[key] => { specification = partner.specification, sources = partner.sources } }

  allowed_rule_arns = [local.rule_arns]
  max_entry_bytes   = var.max_entry_bytes
  idempotency_table = var.idempotency_table
  existing_dlq      = var.existing_dlq

  settings = var.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}
