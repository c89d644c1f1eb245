output "state_machine_name" {
  description = "Name of the state machine."
  value       = aws_sfn_state_machine.this.name
}

output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "role_name" {
  description = "Name of the workflow's role."
  value       = reverse(split("/", local.role_arn))[0]
}

output "log_group_name" {
  description = "Name of the workflow's log group. It may hold payloads (`log_execution_data`), so that `dlq-review` is not given it."
  value       = local.log_group.name
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARNs of the workflows' roles, by hop."
  value       = { "state-machine/${var.name}" = local.role_arn }
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`existing_role`) to have."
  value       = { "state-machine/${var.name}" = local.policy }
}

output "function_arns" {
  description = "ARNs of the functions, by hop: none here."
  value       = {}
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop: none here."
  value       = {}
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
  value       = module.alarms.names
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["logs", "states"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}
