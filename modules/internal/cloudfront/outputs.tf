locals {
  base_url = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "api_endpoint" {
  description = "Base URL of the webhooks."
  value       = local.base_url
}

output "webhook_urls" {
  description = "The URL to give to each partner, by its name."
  value       = { for partner in var.partners : partner => "${local.base_url}/webhooks/${partner}" }
}

output "domain_target" {
  description = "Target of the DNS record of `domain`: `name`, and `hosted_zone_id` for an alias."
  value = {
    name           = aws_cloudfront_distribution.this.domain_name
    hosted_zone_id = aws_cloudfront_distribution.this.hosted_zone_id
  }
}

output "distribution_id" {
  description = "Identifier of the distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "key_value_store_arn" {
  description = "ARN of the key value store. Its key `origin-secret` waits for the value of `origin_secret_name` of `ingress-apigw`."
  value       = aws_cloudfront_key_value_store.this.arn
}

output "web_acl_arn" {
  description = "ARN of the web ACL."
  value       = local.web_acl_arn
}
