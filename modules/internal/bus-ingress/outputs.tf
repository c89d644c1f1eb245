output "bus_name" {
  description = "Name of the bus that the events come from."
  value       = var.bus_name
}

output "rule_names" {
  description = "Names of the rules, by partner."
  value       = { for partner, rule in aws_cloudwatch_event_rule.this : partner => rule.name }
}

output "rule_arns" {
  description = "ARNs of the rules, by partner."
  value       = { for partner, rule in aws_cloudwatch_event_rule.this : partner => rule.arn }
}

output "event_patterns" {
  description = "The rules' patterns as EventBridge has them, by partner, as JSON text."
  value       = local.patterns
}

output "queue_name" {
  description = "Name of the queue that the rules send to."
  value       = module.ingress.queue_name
}

output "queue_arn" {
  description = "ARN of the queue that the rules send to."
  value       = module.ingress.queue_arn
}

output "queue_url" {
  description = "URL of the queue that the rules send to."
  value       = module.ingress.queue_url
}

output "queue_policy" {
  description = "Who may send to the queue: its policy, as JSON text."
  value       = module.ingress.queue_policy
}

output "dlq_name" {
  description = "Name of the dead-letter queue, the function's and the rules'."
  value       = module.ingress.dlq_name
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = module.ingress.dlq_arn
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = module.ingress.dlq_url
}

output "dead_letter_queues" {
  description = "The dead-letter queue, as `dlq-review` takes it."
  value       = module.ingress.dead_letter_queues
}

output "ledger_table_name" {
  description = "Name of the replay ledger."
  value       = module.ingress.ledger_table_name
}

output "ledger_table_arn" {
  description = "ARN of the replay ledger."
  value       = module.ingress.ledger_table_arn
}

output "bucket_name" {
  description = "Name of the bucket with the configuration and the bodies too large for the bus."
  value       = module.ingress.bucket_name
}

output "function_name" {
  description = "Name of the function."
  value       = module.ingress.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = module.ingress.function_arn
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = module.ingress.role_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.ingress.log_group_name
}

output "policy" {
  description = "What the function may do: its role's policy, as JSON text."
  value       = module.ingress.policy
}

output "environment" {
  description = "The function's environment variables."
  value       = module.ingress.environment
}
