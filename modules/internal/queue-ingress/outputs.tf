output "queue_name" {
  description = "Name of the queue that is consumed."
  value       = module.consumer.queue_name
}

output "queue_arn" {
  description = "ARN of the queue that is consumed."
  value       = module.consumer.queue_arn
}

output "queue_url" {
  description = "URL of the queue that is consumed."
  value       = module.consumer.queue_url
}

output "queue_policy" {
  description = "Who may send to the queue: its policy, as JSON text; null for an existing queue."
  value       = module.consumer.queue_policy
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
  value       = module.consumer.dlq_name
}

output "dlq_arn" {
  description = "ARN of the dead-letter queue."
  value       = module.consumer.dlq_arn
}

output "dlq_url" {
  description = "URL of the dead-letter queue."
  value       = module.consumer.dlq_url
}

output "dead_letter_queues" {
  description = "The dead-letter queue, as `dlq-review` takes it. Messages of an existing queue go back to the function, the others to the queue."
  value = {
    (local.hop) = {
      queue_arn        = module.consumer.dlq_arn
      queue_url        = module.consumer.dlq_url
      hop              = local.hop
      destination      = "bus"
      source_queue_arn = var.existing_queue == null ? module.consumer.queue_arn : null
      source_queue_url = var.existing_queue == null ? module.consumer.queue_url : null
      function_arn     = var.existing_queue == null ? null : module.consumer.function_arn
      consumer_arn     = var.existing_queue == null ? module.consumer.function_arn : null
      route_back       = var.existing_queue == null ? "queue" : "function"
      redrive          = var.redrive
    }
  }
}

output "ledger_table_name" {
  description = "Name of the replay ledger."
  value       = local.ledger.name
}

output "ledger_table_arn" {
  description = "ARN of the replay ledger."
  value       = local.ledger.arn
}

output "bucket_name" {
  description = "Name of the bucket with the configuration and the bodies too large for the bus."
  value       = local.bucket.name
}

output "function_name" {
  description = "Name of the function."
  value       = module.consumer.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = module.consumer.function_arn
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = module.consumer.role_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.consumer.log_group_name
}

output "policy" {
  description = "What the function may do: its role's policy, as JSON text."
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
