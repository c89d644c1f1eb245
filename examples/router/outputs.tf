output "dead_letter_queues" {
  description = "For a module `dlq-review`."
  value       = module.router.dead_letter_queues
}

output "event_patterns" {
  description = "The rules' patterns."
  value       = module.router.event_patterns
}
