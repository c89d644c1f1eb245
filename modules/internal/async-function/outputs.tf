output "function_name" {
  description = "Name of the function."
  value       = module.function.function_name
}

output "function_arn" {
  description = "ARN of the function, the target of the rules."
  value       = module.function.function_arn

  # A rule that invokes it before it may would dead-letter its first events.
  depends_on = [aws_lambda_permission.rule, aws_lambda_function_event_invoke_config.this]
}

output "role_name" {
  description = "Name of the function's role."
  value       = module.function.role_name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = module.function.role_arn
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dlq.name
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue: that of the rules' targets, and the function's on-failure destination."
  value       = aws_sqs_queue.dlq.arn
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dlq.url
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.function.log_group_name
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
