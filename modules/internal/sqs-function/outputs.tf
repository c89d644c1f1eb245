output "queue_name" {
  description = "Name of the queue that is consumed."
  value       = local.queue.name
}

output "queue_arn" {
  description = "ARN of the queue that is consumed."
  value       = local.queue.arn
}

output "queue_url" {
  description = "URL of the queue that is consumed."
  value       = local.queue.url
}

output "queue_policy" {
  description = "Policy of the queue, as JSON text; null for an existing queue."
  value       = local.own_queue ? aws_sqs_queue.this[0].policy : null
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dlq.name
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.dlq.arn
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dlq.url
}

output "function_name" {
  description = "Name of the function."
  value       = module.function.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = module.function.function_arn
}

output "role_name" {
  description = "Name of the function's role."
  value       = module.function.role_name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = module.function.role_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.function.log_group_name
}

output "event_source_mapping_id" {
  description = "Identifier of the mapping from the queue to the function."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "policy" {
  description = "Policy of the function's role, as JSON text."
  value       = module.function.policy
}

output "environment" {
  description = "The function's environment variables."
  value       = module.function.environment
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.function.alarm_names[severity], module.alarms.names[severity]) }
}
