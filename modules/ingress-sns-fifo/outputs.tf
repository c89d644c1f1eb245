output "topic_arn" {
  description = "ARN of the topic that senders publish to."
  value       = local.topic_arn
}

output "queue_arn" {
  description = "ARN of the queue that the topic delivers to."
  value       = module.ingress.queue.arn
}

output "sender_policy" {
  description = "Policy that a sender's role needs, as JSON text: in another account, besides its entry in `senders`. Null for an existing topic."
  value       = local.own_topic ? local.sender_policy : null
}

output "existing_topic_policy" {
  description = "Statements that the existing topic's own policy needs, as JSON text, if it is another account's; null for a topic of the module's own."
  value       = local.existing_topic_policy
}

output "bucket" {
  description = "Bucket with the configuration and the bodies too large for the bus: `{ name, arn }`."
  value       = module.ingress.bucket
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARNs of the functions' roles, by hop."
  value       = module.ingress.role_arns
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = module.ingress.role_policies
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = module.ingress.function_arns
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = module.ingress.log_group_names
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop."
  value       = module.ingress.idempotency_tables
}

output "dead_letter_queues" {
  description = "Dead-letter queues, by hop, as `dlq-review` takes them."
  value       = module.ingress.dead_letter_queues
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.ingress.alarm_names[severity], module.alarms.names[severity]) }
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["logs", "sns"]
  senders  = var.senders
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}

output "existing_dlq_policies" {
  description = "Statements that the policy of `existing_dlq` needs, as JSON text, by hop."
  value       = module.ingress.existing_dlq_policies
}
