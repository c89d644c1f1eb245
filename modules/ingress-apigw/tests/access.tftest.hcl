# Authorisation, limits and domains. Plans with the real provider and no access to AWS.

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
  name     = "media-test-webhooks"
  bus_arn  = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  throttle = { rate = 50, burst = 60 }

  partners = {
    mux    = { specification = jsonencode({ preset = "mux" }) }
    github = { specification = jsonencode({ preset = "github" }), throttle = { rate = 3, burst = 4 } }
    acme = {
      specification = jsonencode({ id = "body.id", type = "body.type" })
      authorization = { type = "iam", principals = ["arn:aws:iam::123456789012:role/partners/acme", "arn:aws:iam::123456789012:user/acme"] }
    }
    bravo = {
      specification = jsonencode({ id = "body.id", type = "body.type" })
      throttle      = { rate = 1, burst = 1 }
      authorization = { type = "jwt", issuer = "https://login.example.com/bravo", audiences = ["hooks"], scopes = ["events:send"] }
    }
    charlie = {
      specification = jsonencode({ id = "body.id", type = "body.type" })
      authorization = { type = "jwt", issuer = "https://login.example.com", audiences = ["hooks", "other"] }
    }
  }
}

override_resource {
  target          = module.function.aws_iam_role.this
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/media-test-webhooks" }
}

override_resource {
  target          = aws_apigatewayv2_api.this
  override_during = plan
  values = {
    id            = "abc123"
    api_endpoint  = "https://abc123.execute-api.eu-west-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123"
  }
}

override_resource {
  target          = aws_apigatewayv2_integration.function
  override_during = plan
  values          = { id = "int456" }
}

override_resource {
  target          = aws_apigatewayv2_authorizer.jwt["bravo"]
  override_during = plan
  values          = { id = "auth-bravo" }
}

override_resource {
  target          = aws_apigatewayv2_authorizer.jwt["charlie"]
  override_during = plan
  values          = { id = "auth-charlie" }
}

override_resource {
  target          = aws_secretsmanager_secret.partner["mux"]
  override_during = plan
  values          = { arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/mux-AbCdEf" }
}

override_resource {
  target          = aws_secretsmanager_secret.partner["github"]
  override_during = plan
  values          = { arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/github-AbCdEf" }
}

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-webhooks-idempotency" }
}

override_resource {
  target          = aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-webhooks-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-webhooks-dlq"
  }
}

run "c4_every_partner_has_a_route_with_limits_of_its_own" {
  command = plan

  assert {
    condition = jsonencode({
      for settings in aws_apigatewayv2_stage.this[0].route_settings : settings.route_key => [settings.throttling_rate_limit, settings.throttling_burst_limit]
      }) == jsonencode({
      "ANY /webhooks/acme"      = [50, 60]
      "ANY /webhooks/bravo"     = [1, 1]
      "ANY /webhooks/charlie"   = [50, 60]
      "ANY /webhooks/github"    = [3, 4]
      "ANY /webhooks/mux"       = [50, 60]
      "ANY /webhooks/{partner}" = [5, 10]
    })
    error_message = "A burst of one partner must be refused with 429 where it begins, and take nothing from the others."
  }

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.this : route.target == "integrations/int456"])
    error_message = "Every route leads to the one function."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this[0].default_route_settings[0].throttling_rate_limit == 5 && aws_apigatewayv2_stage.this[0].default_route_settings[0].throttling_burst_limit == 10
    error_message = "Routes without settings of their own are throttled, too."
  }
}

run "only_partners_that_api_gateway_authorises_have_routes_that_do_and_they_do_for_every_method" {
  command = plan

  assert {
    condition = jsonencode({
      for key, route in aws_apigatewayv2_route.this : key => [route.authorization_type, route.authorizer_id, sort(coalesce(route.authorization_scopes, []))]
      }) == jsonencode({
      "ANY /webhooks/acme"      = ["AWS_IAM", null, []]
      "ANY /webhooks/bravo"     = ["JWT", "auth-bravo", ["events:send"]]
      "ANY /webhooks/charlie"   = ["JWT", "auth-charlie", []]
      "ANY /webhooks/github"    = ["NONE", null, []]
      "ANY /webhooks/mux"       = ["NONE", null, []]
      "ANY /webhooks/{partner}" = ["NONE", null, []]
    })
    error_message = "Each partner with an authorisation has it on its own routes, with its own authorizer and scopes."
  }

  assert {
    condition = jsonencode({
      for partner, authorizer in aws_apigatewayv2_authorizer.jwt : partner => [authorizer.authorizer_type, authorizer.jwt_configuration[0].issuer, sort(authorizer.jwt_configuration[0].audience)]
      }) == jsonencode({
      bravo   = ["JWT", "https://login.example.com/bravo", ["hooks"]]
      charlie = ["JWT", "https://login.example.com", ["hooks", "other"]]
    })
    error_message = "Each authorizer takes the tokens of its partner's issuer, for its audiences."
  }
}

run "the_function_is_told_how_each_partner_is_authenticated" {
  command = plan

  assert {
    condition = jsonencode({ for partner, entry in jsondecode(local.configuration).partners : partner => [entry.authentication, entry.principals] }) == jsonencode({
      acme    = ["iam", ["arn:aws:iam::123456789012:role/partners/acme", "arn:aws:iam::123456789012:user/acme"]]
      bravo   = ["jwt", []]
      charlie = ["jwt", []]
      github  = ["signature", []]
      mux     = ["signature", []]
    })
    error_message = "The function itself asks for API Gateway's proof, or for a signature."
  }
}

run "partners_that_api_gateway_authorises_need_no_secret" {
  command = plan

  assert {
    condition     = sort(keys(output.secret_names)) == tolist(["github", "mux"]) && jsonencode(output.secret_arns["acme"]) == "[]"
    error_message = "A secret that verifies nothing would wait for its value for ever."
  }
}

run "named_principals_get_a_policy_for_their_own_webhook_alone" {
  command = plan

  assert {
    condition = keys(output.invoke_policies) == ["acme"] && jsondecode(output.invoke_policies["acme"]).Statement == [{
      Action   = "execute-api:Invoke"
      Effect   = "Allow"
      Resource = "arn:aws:execute-api:eu-west-1:123456789012:abc123/*/POST/webhooks/acme"
      Sid      = "SendWebhooks"
    }]
    error_message = "POST to the partner's own address, and nothing else."
  }
}

run "without_a_domain_there_is_none_and_the_api_has_its_own_address" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_domain_name.this) == 0 && length(aws_apigatewayv2_api_mapping.this) == 0 && output.domain_target == null && !aws_apigatewayv2_api.this[0].disable_execute_api_endpoint
    error_message = "A domain is an option."
  }
}

run "a_domain_takes_calls_besides_the_api_s_own_address" {
  command = plan

  variables {
    domain = { name = "hooks.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/a1" }
  }

  override_resource {
    target          = aws_apigatewayv2_domain_name.this
    override_during = plan
    values          = { id = "hooks.example.com" }
  }

  assert {
    condition = (
      aws_apigatewayv2_domain_name.this[0].domain_name == "hooks.example.com"
      && aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].certificate_arn == "arn:aws:acm:eu-west-1:123456789012:certificate/a1"
      && aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].security_policy == "TLS_1_2"
      && aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].endpoint_type == "REGIONAL"
      && length(aws_apigatewayv2_domain_name.this[0].mutual_tls_authentication) == 0
      && !aws_apigatewayv2_api.this[0].disable_execute_api_endpoint
    )
    error_message = "TLS 1.2 with the user's certificate; nothing else changes."
  }

  assert {
    condition     = aws_apigatewayv2_api_mapping.this[0].domain_name == "hooks.example.com" && aws_apigatewayv2_api_mapping.this[0].api_id == "abc123" && aws_apigatewayv2_api_mapping.this[0].api_mapping_key == null
    error_message = "The domain leads to this API, at its root."
  }

  assert {
    condition     = output.webhook_urls["mux"] == "https://hooks.example.com/webhooks/mux" && output.api_endpoint == "https://hooks.example.com"
    error_message = "Partners get the domain's address."
  }
}

run "t6_mutual_tls_leaves_no_way_around_it" {
  command = plan

  variables {
    domain = {
      name            = "hooks.example.com"
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/a1"
      mutual_tls = {
        truststore_uri                         = "s3://trust/partners.pem"
        truststore_version                     = "v7"
        ownership_verification_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/b2"
      }
    }
    partners = {
      mux  = { specification = jsonencode({ preset = "mux" }) }
      acme = { specification = jsonencode({ preset = "github" }), secret_arns = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme-AbCdEf"], require_client_certificate = true }
    }
  }

  assert {
    condition = (
      aws_apigatewayv2_domain_name.this[0].mutual_tls_authentication[0].truststore_uri == "s3://trust/partners.pem"
      && aws_apigatewayv2_domain_name.this[0].mutual_tls_authentication[0].truststore_version == "v7"
      && aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].ownership_verification_certificate_arn == "arn:aws:acm:eu-west-1:123456789012:certificate/b2"
    )
    error_message = "Callers are held against the truststore."
  }

  assert {
    condition     = aws_apigatewayv2_api.this[0].disable_execute_api_endpoint
    error_message = "The API's own address asks for no certificate."
  }

  assert {
    condition     = jsonencode({ for partner, entry in jsondecode(local.configuration).partners : partner => entry.require_client_certificate }) == jsonencode({ acme = true, mux = false })
    error_message = "The function asks for the certificate where the partner must have one."
  }
}

run "c17_behind_cloudfront_the_function_asks_for_the_secret_that_terraform_does_not_know" {
  command = plan

  variables {
    behind_cloudfront = true
    domain            = null
    partners          = { mux = { specification = jsonencode({ preset = "mux" }), secret_arns = [] } }
  }

  override_resource {
    target          = aws_secretsmanager_secret.origin
    override_during = plan
    values = {
      arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/cloudfront_origin-AbCdEf"
    }
  }

  assert {
    condition     = output.origin_secret_name == "media-test-webhooks/cloudfront_origin" && local.environment["ORIGIN_SECRET_ARN"] == "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/cloudfront_origin-AbCdEf"
    error_message = "the function knows the secret's ARN, and nobody its value"
  }

  assert {
    condition     = contains(local.policy_statements.ReadSecrets.resources, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/*")
    error_message = "the function may read it"
  }
}

run "c17_only_what_cloudfront_can_pass_on_is_behind_it" {
  command = plan

  variables {
    behind_cloudfront = true
    domain            = { name = "hooks.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
    partners = {
      mam = { specification = jsonencode({ preset = "mux" }), authorization = { type = "iam", principals = ["arn:aws:iam::123456789012:role/mam"] } }
    }
  }

  expect_failures = [var.behind_cloudfront]
}

run "an_api_of_the_users_gets_the_routes_and_nothing_else" {
  command = plan

  variables {
    existing_api = { id = "a1b2c3d4e5", execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5", endpoint = "https://hooks.example.com" }
    domain       = null
    partners     = { mux = { specification = jsonencode({ preset = "mux" }) } }
  }

  assert {
    condition     = length(aws_apigatewayv2_api.this) + length(aws_apigatewayv2_stage.this) + length(aws_cloudwatch_log_group.access) == 0
    error_message = "There is an API, a stage or a log besides the user's."
  }

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.this : route.api_id == "a1b2c3d4e5"]) && length(aws_apigatewayv2_route.this) == 2
    error_message = "The routes are another API's."
  }

  assert {
    condition     = output.webhook_urls == { mux = "https://hooks.example.com/webhooks/mux" } && aws_lambda_permission.api.source_arn == "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*/*/webhooks/*"
    error_message = jsonencode(output.webhook_urls)
  }
}

run "a_throttle_that_the_stage_of_the_user_would_not_have_is_refused" {
  command = plan

  variables {
    existing_api = { id = "a1b2c3d4e5", execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5", endpoint = "https://hooks.example.com" }
    domain       = null
    partners     = { mux = { specification = jsonencode({ preset = "mux" }), throttle = { rate = 1, burst = 1 } } }
  }

  expect_failures = [var.existing_api]
}
