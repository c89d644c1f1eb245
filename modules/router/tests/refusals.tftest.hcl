# Patterns that AWS would refuse, or that would never match, are refused when planned. What the variables refuse by themselves
# is tested in tests/terraform/test_invalid_variables.py.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name           = "media-test"
  bus_name       = "media"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  bucket         = { name = "kit", arn = "arn:aws:s3:::kit" }
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }
}

run "a_pattern_that_names_the_stage" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { metadata = { stage = ["received"] } } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_that_names_redrive_in_an_alternative" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { "$or" = [{ metadata = { redrive = { count = [1] } } }, { data = { a = [1] } }] } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_with_a_field_that_no_event_has" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ metadata = { partner = ["mux"] } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_with_a_bare_value" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = "partner.mux" }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_with_a_bare_value_inside" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { data = { kind = "video" } } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_longer_than_eventbridge_takes" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = [for i in range(200) : "partner.${i}"] }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_url_that_is_a_private_address" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://10.0.0.7/events" } } } }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_private_address_that_is_meant" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://10.0.0.7/events", allowed_private_cidrs = ["10.0.0.0/8"] } } } }
  }

  assert {
    condition     = local.forbidden_urls["cms"] == []
    error_message = "An allowed network must be let through."
  }
}

run "two_routes_that_manage_the_policy_of_one_queue" {
  command = plan

  variables {
    routes = {
      one = { pattern = jsonencode({ source = ["partner.mux"] }), target = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake", manage_queue_policy = true } } }
      two = { pattern = jsonencode({ source = ["partner.mux"] }), target = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake", manage_queue_policy = true } } }
    }
  }

  expect_failures = [aws_sqs_queue_policy.target]
}
