output "bus_arn" {
  description = "ARN of the bus."
  value       = local.bus.arn
}

output "archive" {
  description = "The bus's archive, `{ name, arn }`, as `dlq-review` takes it; null without one."
  value       = one([for archive in aws_cloudwatch_event_archive.this : { name = archive.name, arn = archive.arn }])
}

output "event_patterns" {
  description = "Patterns of the rules that take events into the envelope, by partner or service, as JSON text."
  value       = merge(values(module.ingress)[*].event_patterns...)
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARNs of the functions' roles, by hop."
  value       = merge(values(module.ingress)[*].role_arns...)
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = merge(values(module.ingress)[*].role_policies...)
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = merge(values(module.ingress)[*].function_arns...)
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = merge(values(module.ingress)[*].log_group_names...)
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop."
  value       = merge(values(module.ingress)[*].idempotency_tables...)
}

output "existing_dlq_policies" {
  description = "Statements that the policies of `existing_dlqs` need, as JSON text, by hop."
  value       = merge(values(module.ingress)[*].existing_dlq_policies...)
}

output "dead_letter_queues" {
  description = "Dead-letter queues, by hop, as `dlq-review` takes them: of the ingresses, and, with `settings.kms_key`, of the bus itself."
  value       = merge(concat(values(module.ingress)[*].dead_letter_queues, module.dead_letters[*].dead_letter_queues)...)
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
  value       = { for severity in ["critical", "warning"] : severity => merge(module.alarms.names[severity], [for ingress in values(module.ingress) : ingress.alarm_names[severity]]...) }
}
