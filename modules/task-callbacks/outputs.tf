output "function_arn" {
  description = "ARN of the function that a task invokes, by `arn:aws:states:::lambda:invoke.waitForTaskToken`."
  value       = module.function.function_arn
}

output "task_callbacks_table" {
  description = "The table, `{ name, arn }`, for a route's `task_callback` target."
  value       = { name = aws_dynamodb_table.callbacks.name, arn = aws_dynamodb_table.callbacks.arn }
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
  value       = module.function.alarm_names
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["logs"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}
