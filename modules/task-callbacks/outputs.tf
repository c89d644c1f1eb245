output "function_name" {
  description = "Name of the function."
  value       = module.function.function_name
}

output "function_arn" {
  description = "ARN of the function that a task invokes, by `arn:aws:states:::lambda:invoke.waitForTaskToken`."
  value       = module.function.function_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.function.log_group_name
}

output "waits_table_name" {
  description = "Name of the table, for a route's `resume` target."
  value       = aws_dynamodb_table.waits.name
}

output "waits_table_arn" {
  description = "ARN of the table, for a route's `resume` target."
  value       = aws_dynamodb_table.waits.arn
}
