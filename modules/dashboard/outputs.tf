output "dashboard_arn" {
  description = "ARN of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_arn
}

output "query_names" {
  description = "Names of the saved queries."
  value       = sort([for query in values(aws_cloudwatch_query_definition.this) : query.name])
}
