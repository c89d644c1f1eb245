output "review_table_name" {
  description = "Name of the table with the review items."
  value       = aws_dynamodb_table.items.name
}

output "review_table_arn" {
  description = "ARN of the table with the review items."
  value       = aws_dynamodb_table.items.arn
}

output "topic_arn" {
  description = "ARN of the topic that notifies people of new review items; subscribe them to it."
  value       = local.topic_arn
}

output "bucket" {
  description = "Bucket with the configuration and the bodies too large for the table: `{ name, arn }`."
  value       = local.bucket
}

output "audit_bucket" {
  description = "Bucket with the audit, to which entries are only ever added: `{ name, arn }`."
  value       = local.audit
}

output "existing_audit_bucket_policy" {
  description = "Statements that the policy of `existing_audit_bucket` needs, as JSON text; null without one."
  value       = one([for policy in module.append_only : jsonencode({ Version = "2012-10-17", Statement = policy.statements })])
}

output "operator_policies" {
  description = "IAM policies (JSON) for the roles of people who review: `metadata` shows items without what their events carry, the deployment's status and an event's trace; `read` shows items whole; `retry` sends items again; `edit` sends them corrected; `administer` archives and restores them, for which it may send to the queues of routes that keep an order. The last two may withdraw an event's effect in the idempotency stores. The last three include reading and notes. With `archive` also `archive_replay`, which delivers past events once more where that has not happened yet, and `repeat_effects`, which may make it happen again."
  value       = local.operator_policies

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  precondition {
    condition     = alltrue([for policy in values(local.operator_policies) : length(policy) <= 6144])
    error_message = "These operator_policies would be longer than the 6144 characters that IAM takes for a managed policy: ${join(", ", [for name, policy in local.operator_policies : "${name} (${length(policy)})" if length(policy) > 6144])}. ${local.remedy}: resources are then named by a pattern instead of one by one."
  }
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARNs of the functions' roles, by hop."
  value       = { (local.hop) = module.function.role_arn }
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = { (local.hop) = module.function.policy }
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = { (local.hop) = module.function.function_arn }
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = { (local.hop) = module.function.log_group_name }
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop: none here."
  value       = {}
}

output "dead_letter_queues" {
  description = "Dead-letter queues, by hop: none here."
  value       = {}
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.function.alarm_names[severity], module.alarms.names[severity]) }
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["cloudwatch", "logs"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}
