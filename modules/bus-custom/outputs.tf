output "bus_name" {
  description = "Name of the bus."
  value       = aws_cloudwatch_event_bus.this.name
}

output "bus_arn" {
  description = "ARN of the bus."
  value       = aws_cloudwatch_event_bus.this.arn
}

output "archive_name" {
  description = "Name of the archive; null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].name)
}

output "archive_arn" {
  description = "ARN of the archive; null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].arn)
}
