data "aws_region" "current" {}

locals {
  # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
  caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

  # All headers, cookies and the query, which signatures may cover. API Gateway finds its API by its own host.
  # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
  all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  web_acl_arn = var.web_acl_arn == null ? aws_wafv2_web_acl.this[0].arn : var.web_acl_arn
}

################################################################################
# The secret that shows the API what came by CloudFront
################################################################################

# Without a value: one in Terraform would be in its state. So would be one of the distribution's custom headers.
resource "aws_cloudfront_key_value_store" "this" {
  name    = var.name
  comment = "The key origin-secret: what ingress-apigw knows CloudFront by"
}

resource "aws_cloudfront_function" "this" {
  name                         = var.name
  comment                      = "Shows the API who sent a request, and that CloudFront passed it on"
  runtime                      = "cloudfront-js-2.0"
  code                         = file("${path.module}/viewer_request.js")
  publish                      = true
  key_value_store_associations = [aws_cloudfront_key_value_store.this.arn]
}

################################################################################
# AWS WAF
################################################################################

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:The rule reads request bodies; a partner's genuine event that looks like an attack would be lost. Nothing here runs Log4j
  #checkov:skip=CKV2_AWS_31:Logs have all headers of a request, and some partners send a token in one; metrics count what is blocked
  count = var.web_acl_arn == null ? 1 : 0

  name        = var.name
  description = "Limits each address that sends webhooks"
  scope       = "CLOUDFRONT"
  tags        = var.settings.tags

  default_action {
    allow {}
  }

  rule {
    name     = "requests-of-one-address"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "requests-of-one-address"
      sampled_requests_enabled   = false # a sample has all headers
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

################################################################################
# Distribution
################################################################################

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_86:API Gateway logs what is passed on; what is not, AWS WAF counts. A log here would have queries, and so tokens of some partners
  #checkov:skip=CKV_AWS_305:An API has no root object
  #checkov:skip=CKV_AWS_310:There is one API; a second origin would get the same event without its idempotency store
  #checkov:skip=CKV_AWS_374:Partners call from wherever their clouds are
  #checkov:skip=CKV2_AWS_32:Answers go to programs, not to browsers
  #checkov:skip=CKV2_AWS_42:CloudFront's own name has CloudFront's certificate; domain brings one of your own
  #checkov:skip=CKV2_AWS_47:As CKV_AWS_192
  comment         = "Webhooks of ${var.name}"
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = "PriceClass_All"
  aliases         = var.domain[*].name
  web_acl_id      = local.web_acl_arn # an ARN, for the current AWS WAF
  tags            = var.settings.tags

  origin {
    origin_id   = "api"
    domain_name = trimprefix(var.api_endpoint, "https://")

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 35 # longer than API Gateway's 30 seconds: its answer comes first
      origin_keepalive_timeout = 5
    }
  }

  default_cache_behavior {
    target_origin_id         = "api"
    allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods           = ["GET", "HEAD"]
    viewer_protocol_policy   = "https-only"
    compress                 = false
    cache_policy_id          = local.caching_disabled
    origin_request_policy_id = local.all_viewer_except_host_header

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.this.arn
    }
  }

  # Else these answers to a GET, a handshake for instance, are kept for ten seconds, whatever the cache policy says:
  # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
  dynamic "custom_error_response" {
    for_each = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null ? true : null
    acm_certificate_arn            = one(var.domain[*].certificate_arn)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? null : "TLSv1.2_2021"
  }

  lifecycle {
    precondition {
      condition     = data.aws_region.current.id == "us-east-1"
      error_message = "Web ACLs for CloudFront are in us-east-1: give this module a provider of that region (providers = { aws = aws.us_east_1 })."
    }
  }
}
