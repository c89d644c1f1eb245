output "bus_arn" {
  description = "ARN of the partner's bus."
  value       = local.bus_arn
}

output "archive" {
  description = "The partner's bus's archive, `{ name, arn }`; null without one."
  value       = one([for archive in aws_cloudwatch_event_archive.this : { name = archive.name, arn = archive.arn }])
}

output "rule_name" {
  description = "Name of the rule that takes the partner's events."
  value       = local.rule_name
}

output "event_pattern" {
  description = "The rule's pattern as EventBridge has it, as JSON text."
  value       = local.pattern
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARN of the function's role, or of the rule's with `forward_unmodified`, by hop."
  value       = var.forward_unmodified ? { (local.hop) = local.forward_role_arn } : module.ingress[0].role_arns
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`, or `existing_role` with `forward_unmodified`) to have."
  value       = var.forward_unmodified ? { (local.hop) = local.forward_policy } : module.ingress[0].role_policies
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = merge(module.ingress[*].function_arns...)
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = merge(module.ingress[*].log_group_names...)
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop."
  value       = merge(module.ingress[*].idempotency_tables...)
}

output "existing_dlq_policies" {
  description = "Statements that the policy of `existing_dlq` needs, as JSON text, by hop."
  value = merge(concat(module.ingress[*].existing_dlq_policies, [for statement in local.allow_rule : {
    (local.hop) = jsonencode({ Version = "2012-10-17", Statement = [merge(statement, { Resource = local.dlq.arn })] })
  } if !local.own_dlq])...)
}

output "dead_letter_queues" {
  description = "Dead-letter queues, by hop, as `dlq-review` takes them. Nobody but the partner can put an unmodified event on a bus again: `redrive_target` is then `none`, and a person is asked."
  value = merge(concat(module.dead_letters[*].dead_letter_queues, var.forward_unmodified ? [{
    (local.hop) = {
      queue_arn         = local.dlq.arn
      queue_url         = local.dlq.url
      hop               = local.hop
      destination       = "bus"
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = null
      consumer_arn      = null
      function_role_id  = null
      from_rules        = true
      redrive_target    = "none"
      idempotency_table = null
      ordered           = false
      redrive           = var.failure.redrive
    }
  }] : module.ingress[*].dead_letter_queues)...)
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["events", "logs"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.alarms.names[severity], [for ingress in module.ingress : ingress.alarm_names[severity]]...) }
}
