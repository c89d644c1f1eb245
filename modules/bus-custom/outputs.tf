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

output "dead_letter_queues" {
  description = "The dead-letter queues of `raw_producers` and `aws_services`, by hop, as `dlq-review` takes them; empty without these."
  value       = merge([for ingress in values(module.ingress) : ingress.dead_letter_queues]...)
}

output "event_patterns" {
  description = "The patterns of the rules that take events into the envelope, by producer or service, as JSON text."
  value       = merge([for ingress in values(module.ingress) : ingress.event_patterns]...)
}

output "functions" {
  description = "Names of the functions that take events into the envelope, by hop."
  value       = { for key, ingress in module.ingress : "ingress/${var.name}-${key}" => ingress.function_name }
}

output "log_group_names" {
  description = "Names of these functions' log groups, by hop."
  value       = { for key, ingress in module.ingress : "ingress/${var.name}-${key}" => ingress.log_group_name }
}

output "queue_urls" {
  description = "URLs of these functions' queues, by hop."
  value       = { for key, ingress in module.ingress : "ingress/${var.name}-${key}" => ingress.queue_url }
}

output "ledger_table_names" {
  description = "Names of these functions' replay ledgers, by hop."
  value       = { for key, ingress in module.ingress : "ingress/${var.name}-${key}" => ingress.ledger_table_name }
}
