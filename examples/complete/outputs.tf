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
  value       = local.dead_letter_queues
}

################################################################################
# The operators' commands look for these: terraform output -json > outputs.json; export MEDIA_EVENTS_OUTPUTS=outputs.json
################################################################################

output "hops" {
  description = "Each hop's destination, its queues, and the idempotency store with its circuit breaker."
  value = { for hop, queue in local.dead_letter_queues : hop => {
    destination               = queue.destination
    queue_url                 = queue.source_queue_url
    dead_letter_queue_url     = queue.queue_url
    idempotency_table         = try(queue.idempotency_table.name, null)
    redrive_max_delay_seconds = try(queue.redrive.max_delay_seconds, null)
  } }
}

output "idempotency_table_names" {
  description = "Names of the idempotency stores."
  value       = distinct(values(local.idempotency_tables)[*].name)
}

output "functions" {
  description = "Names of the functions, by hop."
  value = { for hop, arn in merge(module.webhooks.function_arns, module.router.function_arns, module.review.function_arns) :
    hop => split(":", arn)[6]
  }
}

output "api_endpoint" {
  description = "Base URL of the webhooks."
  value       = module.webhooks.api_endpoint
}

output "archive_replay" {
  description = "Bus, archive and hops."
  value = {
    bus_arn     = module.bus.bus_arn
    archive_arn = try(module.bus.archive.arn, null)
    hops        = module.router.archive_replay_hops
  }
}

output "log_group_names" {
  description = "Log groups of the functions, by hop."
  value       = merge(local.log_group_names, module.review.log_group_names)
}

output "event_patterns" {
  description = "Patterns of the rules, by hop, as JSON text."
  value       = module.router.event_patterns
}

output "partners" {
  description = "Names of the partners."
  value       = keys(module.webhooks.webhook_urls)
}

output "state_machine_arns" {
  description = "State machines, by destination."
  value       = local.state_machine_arns
}

output "operator_policies" {
  description = "IAM policies (JSON) for people who review."
  value       = module.review.operator_policies
}
