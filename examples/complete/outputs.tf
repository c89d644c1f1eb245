output "webhook_urls" {
  description = "The URL for each partner."
  value       = module.webhooks.webhook_urls
}

output "secret_names" {
  description = "Secrets that wait for the partners' signing keys."
  value       = module.webhooks.secret_names
}

output "review_table_name" {
  description = "Name of the table with the review items."
  value       = module.review.review_table_name
}

output "topic_arn" {
  description = "Topic that tells of new review items."
  value       = module.review.topic_arn
}

output "dead_letter_queues" {
  description = "Every dead-letter queue."
  value       = merge(module.webhooks.dead_letter_queues, module.router.dead_letter_queues)
}
