variable "name" {
  description = "Name of the distribution, its function, key value store and web ACL."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
  }
}

variable "api_endpoint" {
  description = "Output `api_endpoint` of `ingress-apigw`, which has `behind_cloudfront`. Requests go there."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/?#:@]+$", var.api_endpoint))
    error_message = "api_endpoint must look like https://<id>.execute-api.<region>.amazonaws.com."
  }
}

variable "partners" {
  description = "Names of the partners, for `webhook_urls`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "domain" {
  description = "A domain of your own: `name`, such as `hooks.example.com`, and `certificate_arn`, its certificate of Certificate Manager in us-east-1. Point a DNS record (an alias, or a CNAME) to `domain_target`. Null: CloudFront's own name."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z][a-z0-9-]*[a-z0-9]$", var.domain.name)) && length(var.domain.name) <= 253
    error_message = "domain.name must be a name such as hooks.example.com: lower case, without https://, path or wildcard."
  }

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/", var.domain.certificate_arn))
    error_message = "domain.certificate_arn must be a certificate of Certificate Manager in us-east-1, where CloudFront looks for it."
  }
}

variable "requests_per_5_minutes" {
  description = "Requests of one address in five minutes; AWS WAF answers more with 429, which senders retry. At least 10. It must be more than any sender sends from one address."
  type        = number
  default     = 30000
  nullable    = false

  # https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
  validation {
    condition     = var.requests_per_5_minutes >= 10 && var.requests_per_5_minutes <= 2000000000 && floor(var.requests_per_5_minutes) == var.requests_per_5_minutes
    error_message = "requests_per_5_minutes must be a whole number from 10 to 2000000000."
  }
}

variable "web_acl_arn" {
  description = "A web ACL of your own, of scope CLOUDFRONT, in place of the module's. Rules that read bodies see 16 KB by default, and what they block wrongly a sender may never send again."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null ? true : can(regex("^arn:[a-z-]+:wafv2:us-east-1:[0-9]{12}:global/webacl/", var.web_acl_arn))
    error_message = "web_acl_arn must be the ARN of a web ACL of scope CLOUDFRONT: arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>."
  }
}
