output "arn" {
  description = "ARN of the queue, for the bus's `dead_letter_config`."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter_queues" {
  description = "The queue, by hop, as `dlq-review` takes it. A person must put the key right first, so nothing is redriven before."
  value = {
    ("ingress/${var.name}-bus") = {
      queue_arn         = aws_sqs_queue.this.arn
      queue_url         = aws_sqs_queue.this.url
      hop               = "ingress/${var.name}-bus"
      destination       = "bus"
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = null
      consumer_arn      = null
      redrive_target    = var.redrive_target
      idempotency_table = null
      ordered           = false
      redrive           = merge(var.failure.redrive, { max_count = 0 })
    }
  }
}
