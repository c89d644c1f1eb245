output "source_bus_name" {
  description = "Name of the bus that the events come from."
  value       = local.source_bus_name
}

output "rule_names" {
  description = "Names of the rules, by partner."
  value       = { for partner, rule in aws_cloudwatch_event_rule.this : partner => rule.name }
}

output "event_patterns" {
  description = "The rules' patterns as EventBridge has them, by partner, as JSON text."
  value       = local.patterns
}

output "dead_letter_queues" {
  description = "The dead-letter queue, as `dlq-review` takes it."
  value       = module.ingress.dead_letter_queues
}

output "existing_dlq_policies" {
  description = "Statements that the policy of `existing_dlq` needs, as JSON text, by hop."
  value       = module.ingress.existing_dlq_policies
}

output "role_arns" {
  description = "ARN of the function's role, by hop."
  value       = module.ingress.role_arns
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = module.ingress.role_policies
}

output "function_arns" {
  description = "ARN of the function, by hop."
  value       = module.ingress.function_arns
}

output "log_group_names" {
  description = "Name of the function's log group, by hop."
  value       = module.ingress.log_group_names
}

output "idempotency_tables" {
  description = "Name and ARN of the idempotency store, by hop."
  value       = module.ingress.idempotency_tables
}

output "queue" {
  description = "Name, ARN and URL of the queue that is consumed."
  value       = module.ingress.queue
}

output "queue_policy" {
  description = "Policy of the queue, as JSON text; null for an existing queue."
  value       = module.ingress.queue_policy
}

output "environment" {
  description = "The function's environment variables."
  value       = module.ingress.environment
}

output "configuration" {
  description = "The function's configuration, as JSON text."
  value       = module.ingress.configuration
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.ingress.alarm_names[severity], module.alarms.names[severity]) }
}
