output "uri" {
  description = "The function's `BODIES_URI`; null without a bucket."
  value       = try("s3://${var.bucket.name}/${var.prefix}", null)
}

output "policy_statements" {
  description = "What a function needs that reads, and perhaps stores, bodies: the `policy_statements` of its role."
  value       = local.policy_statements
}
