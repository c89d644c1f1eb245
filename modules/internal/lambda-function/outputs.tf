output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "invocation" {
  description = "Where events go: `arn`, `invoke_arn` for API Gateway, and the `qualifier` of the alias, which only a function with SnapStart has."
  value = {
    arn        = var.function.snap_start ? aws_lambda_alias.live[0].arn : aws_lambda_function.this.arn
    invoke_arn = var.function.snap_start ? aws_lambda_alias.live[0].invoke_arn : aws_lambda_function.this.invoke_arn
    qualifier  = one(aws_lambda_alias.live[*].name)
  }
}

output "role_name" {
  description = "Name of the function's role."
  value       = local.role_name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = local.role_arn
}

output "role_id" {
  description = "Unique id of the function's role, which SQS's `SenderId` begins with; null if the user's role came without."
  value       = local.own_role ? aws_iam_role.this[0].unique_id : var.function.role.unique_id
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = local.log_group.name
}

output "log_group_arn" {
  description = "ARN of the function's log group."
  value       = local.log_group.arn
}

output "configuration_key" {
  description = "Key of the configuration in the bucket; null without one."
  value       = one(aws_s3_object.configuration[*].key)
}

output "policy" {
  description = "Policy of the function's role, as JSON text."
  value       = local.policy
}

output "environment" {
  description = "The function's environment variables."
  value       = one(aws_lambda_function.this.environment[*].variables)
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = module.alarms.names
}
