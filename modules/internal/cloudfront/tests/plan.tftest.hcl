# Plans with the real provider and without AWS.

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "ireland"
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name         = "media-test-webhooks"
  api_endpoint = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
  partners     = ["mux", "acme"]
}

override_resource {
  target          = aws_cloudfront_distribution.this
  override_during = plan
  values = {
    domain_name    = "d111111abcdef8.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

override_resource {
  target          = aws_wafv2_web_acl.this
  override_during = plan
  values = {
    arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/media-test-webhooks/1"
  }
}

override_resource {
  target          = aws_cloudfront_key_value_store.this
  override_during = plan
  values = {
    arn = "arn:aws:cloudfront::123456789012:key-value-store/1"
  }
}

override_resource {
  target          = aws_cloudfront_function.this
  override_during = plan
  values = {
    arn = "arn:aws:cloudfront::123456789012:function/media-test-webhooks"
  }
}

run "whatever_a_signature_may_cover_reaches_the_api_as_it_was_sent" {
  command = plan

  assert {
    condition = one(aws_cloudfront_distribution.this.origin).domain_name == "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com" && (
      one(one(aws_cloudfront_distribution.this.origin).custom_origin_config).origin_protocol_policy == "https-only"
    )
    error_message = "requests go to the API, by HTTPS alone"
  }

  # AllViewerExceptHostHeader and CachingDisabled
  assert {
    condition = (
      aws_cloudfront_distribution.this.default_cache_behavior[0].origin_request_policy_id == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
      && aws_cloudfront_distribution.this.default_cache_behavior[0].cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
      && aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "https-only"
      && contains(aws_cloudfront_distribution.this.default_cache_behavior[0].allowed_methods, "POST")
    )
    error_message = "all headers but the host, all of the query and the body pass, and nothing is cached"
  }

  assert {
    condition     = alltrue([for answer in aws_cloudfront_distribution.this.custom_error_response : answer.error_caching_min_ttl == 0]) && length(aws_cloudfront_distribution.this.custom_error_response) == 11
    error_message = "no answer is cached, an error neither"
  }
}

run "each_request_shows_a_secret_that_terraform_does_not_know" {
  command = plan

  assert {
    condition = (
      one(aws_cloudfront_distribution.this.default_cache_behavior[0].function_association).event_type == "viewer-request"
      && one(aws_cloudfront_distribution.this.default_cache_behavior[0].function_association).function_arn == aws_cloudfront_function.this.arn
      && aws_cloudfront_function.this.key_value_store_associations == toset(["arn:aws:cloudfront::123456789012:key-value-store/1"])
      && length(one(aws_cloudfront_distribution.this.origin).custom_header) == 0
    )
    error_message = "the secret is in the key value store, and neither in the distribution nor in the function's code"
  }
}

run "each_address_has_a_limit" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.this[0].arn && aws_wafv2_web_acl.this[0].scope == "CLOUDFRONT"
    error_message = "the distribution has the web ACL"
  }

  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this[0].rule :
      rule.statement[0].rate_based_statement[0].limit == 30000 && rule.statement[0].rate_based_statement[0].aggregate_key_type == "IP"
      && rule.action[0].block[0].custom_response[0].response_code == 429
    ]) && length(aws_wafv2_web_acl.this[0].rule) == 1
    error_message = "more requests of one address get 429, and no rule reads what they say"
  }
}

run "partners_get_cloudfront_s_address" {
  command = plan

  assert {
    condition     = output.webhook_urls == { acme = "https://d111111abcdef8.cloudfront.net/webhooks/acme", mux = "https://d111111abcdef8.cloudfront.net/webhooks/mux" }
    error_message = "the URL of each partner is at CloudFront"
  }
}

run "a_domain_and_a_web_acl_of_your_own" {
  command = plan

  variables {
    domain      = { name = "hooks.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
    web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/2"
  }

  assert {
    condition = (
      aws_cloudfront_distribution.this.aliases == toset(["hooks.example.com"]) && output.webhook_urls["mux"] == "https://hooks.example.com/webhooks/mux"
      && one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
      && length(aws_wafv2_web_acl.this) == 0 && aws_cloudfront_distribution.this.web_acl_id == var.web_acl_arn
    )
    error_message = "partners call the domain, behind the given web ACL"
  }
}

run "a_certificate_of_another_region_is_refused" {
  command = plan

  variables {
    domain = { name = "hooks.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
  }

  expect_failures = [var.domain]
}

run "a_regional_web_acl_is_refused" {
  command = plan

  variables {
    web_acl_arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/ours/2"
  }

  expect_failures = [var.web_acl_arn]
}

run "a_provider_of_another_region_is_refused" {
  command = plan

  providers = { aws = aws.ireland }

  expect_failures = [aws_cloudfront_distribution.this]
}
