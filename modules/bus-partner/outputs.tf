output "bus_name" {
  description = "Name of the partner's bus, which is that of its event source."
  value       = local.bus_name
}

output "bus_arn" {
  description = "ARN of the partner's bus."
  value       = local.bus_arn
}

output "archive_name" {
  description = "Name of the archive; null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].name)
}

output "archive_arn" {
  description = "ARN of the archive; null without one."
  value       = one(aws_cloudwatch_event_archive.this[*].arn)
}

output "rule_name" {
  description = "Name of the rule that takes the partner's events."
  value       = local.rule_name
}

output "event_pattern" {
  description = "The rule's pattern as EventBridge has it, as JSON text."
  value       = local.pattern
}

output "dead_letter_queues" {
  description = "The dead-letter queue, as `dlq-review` takes it. Events that were sent straight can't be put on the bus again by anybody but the partner: `redrive_target` is then `none`, and a person is asked."
  value = var.transform ? module.ingress[0].dead_letter_queues : {
    "ingress/${var.name}" = {
      queue_arn        = aws_sqs_queue.dlq[0].arn
      queue_url        = aws_sqs_queue.dlq[0].url
      hop              = "ingress/${var.name}"
      destination      = "bus"
      source_queue_arn = null
      source_queue_url = null
      function_arn     = null
      consumer_arn     = null
      redrive_target       = "none"
      redrive          = var.redrive
    }
  }
}

output "ledger_table_name" {
  description = "Name of the replay ledger; null without transformation."
  value       = one(module.ingress[*].ledger_table_name)
}

output "ledger_table_arn" {
  description = "ARN of the replay ledger; null without transformation."
  value       = one(module.ingress[*].ledger_table_arn)
}

output "function_name" {
  description = "Name of the function; null without transformation."
  value       = one(module.ingress[*].function_name)
}

output "function_arn" {
  description = "ARN of the function; null without transformation."
  value       = one(module.ingress[*].function_arn)
}

output "log_group_name" {
  description = "Name of the function's log group; null without transformation."
  value       = one(module.ingress[*].log_group_name)
}

output "queue_url" {
  description = "URL of the queue that the rule sends to; null without transformation."
  value       = one(module.ingress[*].queue_url)
}
