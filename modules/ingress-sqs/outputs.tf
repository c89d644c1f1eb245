output "queue_name" {
  description = "Name of the queue that senders send to."
  value       = module.ingress.queue_name
}

output "queue_arn" {
  description = "ARN of the queue that senders send to."
  value       = module.ingress.queue_arn
}

output "queue_url" {
  description = "URL of the queue that senders send to."
  value       = module.ingress.queue_url
}

output "sender_policy" {
  description = "What a sender's role needs, as JSON text: in another account, besides its entry in `senders`. Null for an existing queue."
  value       = local.own_queue ? local.sender_policy : null
}

output "existing_queue_policy" {
  description = "What the existing queue's own policy must say, as JSON text, if it is another account's; null for a queue of the module's own."
  value       = local.existing_queue_policy
}

output "queue_policy" {
  description = "Who may send to the queue: its policy, as JSON text; null for an existing queue."
  value       = module.ingress.queue_policy
}

output "dlq_name" {
  description = "Name of the dead-letter queue."
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
  description = "The dead-letter queue, as `dlq-review` takes it. Messages of an existing queue go back to the function, the others to the queue."
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
