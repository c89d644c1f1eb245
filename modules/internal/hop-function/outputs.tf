output "queue_name" {
  description = "Name of the queue that is consumed; null without one."
  value       = try(local.queue.name, null)
}

output "queue_arn" {
  description = "ARN of the queue that is consumed; null without one."
  value       = try(local.queue.arn, null)
}

output "queue_url" {
  description = "URL of the queue that is consumed; null without one."
  value       = try(local.queue.url, null)
}

output "queue_policy" {
  description = "Policy of the module's own queue, as JSON text; null without one."
  value       = one(aws_sqs_queue.this[*].policy)
}

output "dlq_policy" {
  description = "Policy of the dead-letter queue, as JSON text."
  value       = one(aws_sqs_queue.dlq[*].policy)
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = local.dlq.name
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue: that of the rules' targets, of the queue, and the function's on-failure destination."
  value       = local.dlq.arn
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = local.dlq.url
}

output "function_name" {
  description = "Name of the function; null without one."
  value       = one(module.function[*].function_name)
}

output "function_arn" {
  description = "ARN of the function; null without one."
  value       = one(module.function[*].function_arn)
}

output "invocation_arn" {
  description = "ARN that rules invoke: with SnapStart that of the function's alias; null without a function."
  value       = one(module.function[*].invocation.arn)

  # A rule that invokes it before it may would dead-letter its first events.
  depends_on = [
    aws_lambda_permission.rule, aws_lambda_function_event_invoke_config.this,
    aws_lambda_permission.rule_of_alias, aws_lambda_function_event_invoke_config.alias,
  ]
}

output "role_name" {
  description = "Name of the function's role; null without one."
  value       = one(module.function[*].role_name)
}

output "role_arn" {
  description = "ARN of the function's role; null without one."
  value       = one(module.function[*].role_arn)
}

output "role_id" {
  description = "Unique id of the function's role, which SQS's `SenderId` begins with; null without one."
  value       = one(module.function[*].role_id)
}

output "log_group_name" {
  description = "Name of the function's log group; null without one."
  value       = one(module.function[*].log_group_name)
}

output "event_source_mapping_id" {
  description = "Identifier of the mapping from the queue to the function; null without a queue."
  value       = one(aws_lambda_event_source_mapping.this[*].uuid)
}

output "policy" {
  description = "Policy of the function's role, as JSON text; null without a function."
  value       = one(module.function[*].policy)
}

output "environment" {
  description = "The function's environment variables; null without a function."
  value       = one(module.function[*].environment)
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value = { for severity in ["critical", "warning"] : severity => merge(concat(
    [module.alarms.names[severity]],
    [for function in module.function : function.alarm_names[severity]],
  )...) }
}

output "existing_dlq_policy" {
  description = "Statements that the policy of `existing_dlq` needs, as JSON text; null where the module makes the queue, or nothing but the function sends there."
  value = local.own_dlq || length(local.allow_rules) + length(local.allow_topics) == 0 ? null : jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in concat(local.allow_rules, local.allow_topics) : merge(statement, { Resource = local.dlq.arn })]
  })
}
