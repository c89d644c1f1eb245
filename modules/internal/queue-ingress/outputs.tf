output "dead_letter_queues" {
  description = "The dead-letter queue, as `dlq-review` takes it. Messages go back to the function: what redrive says of them is not believed of senders to the queue."
  value = {
    (local.hop) = {
      queue_arn         = module.consumer.dlq_arn
      queue_url         = module.consumer.dlq_url
      hop               = local.hop
      destination       = "bus"
      source_queue_arn  = var.existing_queue == null ? module.consumer.queue_arn : null
      source_queue_url  = var.existing_queue == null ? module.consumer.queue_url : null
      function_arn      = module.consumer.function_arn
      consumer_arn      = var.existing_queue == null ? module.consumer.function_arn : null
      function_role_id  = module.consumer.role_id
      from_rules        = length(var.allowed_rule_arns) > 0 && length(var.allowed_topic_arns) == 0
      redrive_target    = var.existing_queue == null ? "queue" : "function"
      idempotency_table = null # the bus has no circuit breaker
      ordered           = false
      redrive           = var.failure.redrive
    }
  }
}

output "role_arns" {
  description = "ARN of the function's role, by hop."
  value       = { (local.hop) = module.consumer.role_arn }
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = { (local.hop) = module.consumer.policy }
}

output "function_arns" {
  description = "ARN of the function, by hop."
  value       = { (local.hop) = module.consumer.function_arn }
}

output "log_group_names" {
  description = "Name of the function's log group, by hop."
  value       = { (local.hop) = module.consumer.log_group_name }
}

output "idempotency_tables" {
  description = "Name and ARN of the idempotency store, by hop."
  value       = { (local.hop) = local.idempotency_table }
}

output "bucket" {
  description = "Name and ARN of the bucket with the configuration and the bodies too large for the bus, as `settings.bucket` of the other modules takes them."
  value       = local.settings.bucket
}

output "queue" {
  description = "Name, ARN and URL of the queue that is consumed."
  value       = { name = module.consumer.queue_name, arn = module.consumer.queue_arn, url = module.consumer.queue_url }
}

output "queue_policy" {
  description = "Policy of the queue, as JSON text; null for an existing queue."
  value       = module.consumer.queue_policy
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = module.consumer.role_arn
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = module.consumer.dlq_arn
}

output "policy" {
  description = "Policy of the function's role, as JSON text."
  value       = module.consumer.policy
}

output "environment" {
  description = "The function's environment variables."
  value       = module.consumer.environment
}

output "configuration" {
  description = "The function's configuration, as JSON text."
  value       = local.configuration
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = module.consumer.alarm_names
}

output "existing_dlq_policies" {
  description = "Statements that the policy of `existing_dlq` needs, as JSON text, by hop."
  value       = { for policy in module.consumer.existing_dlq_policy[*] : (local.hop) => policy }
}
