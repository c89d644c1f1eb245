locals {
  # Every partner has a route of its own, so a flood for one counts against no other. Of any method: the function, rather
  # than a 404 of API Gateway's, answers a wrong one, and some handshakes come by GET.
  routes = merge(
    # Whoever calls here guesses at names: the function answers 404, a few times a second.
    { "ANY /webhooks/{partner}" = { partner = null, throttle = { rate = 5, burst = 10 }, authorization = null } },
    {
      for partner, settings in var.partners : "ANY /webhooks/${partner}" => {
        partner       = partner
        throttle      = settings.throttle == null ? var.throttle : settings.throttle
        authorization = settings.authorization
      }
    },
  )

  authorization_types = { iam = "AWS_IAM", jwt = "JWT" }

  mutual_tls = try(var.domain.mutual_tls, null)
}

locals {
  own_api = var.existing_api == null
  api = local.own_api ? {
    id            = aws_apigatewayv2_api.this[0].id
    execution_arn = aws_apigatewayv2_api.this[0].execution_arn
    endpoint      = aws_apigatewayv2_api.this[0].api_endpoint
    } : {
    id            = var.existing_api.id
    execution_arn = var.existing_api.execution_arn
    endpoint      = var.existing_api.endpoint
  }
  stage = local.own_api ? aws_apigatewayv2_stage.this[0].name : var.existing_api.stage
}

resource "aws_apigatewayv2_api" "this" {
  count = local.own_api ? 1 : 0

  name          = var.name
  description   = "Webhooks of partners"
  protocol_type = "HTTP"
  tags          = var.settings.tags

  # The API's own address asks for no client certificate: callers could go around mutual TLS there.
  disable_execute_api_endpoint = local.mutual_tls != null
}

resource "aws_apigatewayv2_integration" "function" {
  api_id                 = local.api.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = module.function.invocation.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000

  lifecycle {
    precondition {
      condition     = var.function.timeout_seconds <= 29
      error_message = "function.timeout_seconds must be 1 to 29: API Gateway gives up after 30 seconds."
    }
  }

  # It must not turn to an alias that it may not invoke.
  depends_on = [aws_lambda_permission.api_of_alias]
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  for_each = { for partner, settings in var.partners : partner => settings.authorization if try(settings.authorization.type, null) == "jwt" }

  api_id           = local.api.id
  name             = each.key
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = each.value.issuer
    audience = each.value.audiences
  }

  # API Gateway deletes no authorizer that a route still names: first the route is changed, then this goes.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:Senders are authenticated by their signatures, which the function verifies before anything else; where API Gateway does it, the route says so
  for_each = local.routes

  api_id               = local.api.id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.function.id}"
  authorization_type   = each.value.authorization == null ? "NONE" : local.authorization_types[each.value.authorization.type]
  authorizer_id        = try(each.value.authorization.type, null) == "jwt" ? aws_apigatewayv2_authorizer.jwt[each.value.partner].id : null
  authorization_scopes = length(try(each.value.authorization.scopes, [])) == 0 ? null : each.value.authorization.scopes
}

resource "aws_apigatewayv2_stage" "this" {
  count = local.own_api ? 1 : 0

  api_id      = local.api.id
  name        = "$default"
  auto_deploy = true
  tags        = var.settings.tags

  default_route_settings {
    throttling_rate_limit  = local.routes["ANY /webhooks/{partner}"].throttle.rate
    throttling_burst_limit = local.routes["ANY /webhooks/{partner}"].throttle.burst
  }

  dynamic "route_settings" {
    for_each = local.routes

    content {
      route_key              = aws_apigatewayv2_route.this[route_settings.key].route_key
      throttling_rate_limit  = route_settings.value.throttle.rate
      throttling_burst_limit = route_settings.value.throttle.burst
    }
  }

  access_log_settings {
    destination_arn = var.existing_access_log_group == null ? aws_cloudwatch_log_group.access[0].arn : trimsuffix(var.existing_access_log_group.arn, ":*")

    # No query string and no headers: some partners put a token or a signature there.
    format = jsonencode({
      time               = "$context.requestTimeEpoch"
      request_id         = "$context.requestId"
      source_ip          = "$context.identity.sourceIp"
      method             = "$context.httpMethod"
      path               = "$context.path"
      route              = "$context.routeKey"
      status             = "$context.status"
      response_bytes     = "$context.responseLength"
      latency_ms         = "$context.responseLatency"
      integration_status = "$context.integrationStatus"
      integration_ms     = "$context.integrationLatency"
      integration_error  = "$context.integrationErrorMessage"
      error              = "$context.error.message"
      user_agent         = "$context.identity.userAgent"
    })
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:Logs are encrypted by CloudWatch; settings.kms_key sets a customer managed key. They never hold payloads or secrets
  #checkov:skip=CKV_AWS_338:The user chooses how long logs are kept (settings.logs); a year costs money that few want to spend
  count = local.own_api && var.existing_access_log_group == null ? 1 : 0

  name              = "/aws/vendedlogs/apis/${var.name}"
  retention_in_days = var.settings.logs.retention_days
  log_group_class   = var.settings.logs.class
  kms_key_id        = one(local.kms_key[*].arn)
  tags              = var.settings.tags

  # A group's class can't be changed, and another group would be without what is in this one.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
  lifecycle {
    ignore_changes = [log_group_class]
  }
}

resource "aws_lambda_permission" "api" {
  statement_id  = "AllowApiGateway"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${local.api.execution_arn}/*/*/webhooks/*" # any stage, any method, every webhook
}

# It goes after the integration has another address.
resource "aws_lambda_permission" "api_of_alias" {
  count = module.function.invocation.qualifier == null ? 0 : 1

  statement_id_prefix = "AllowApiGateway-"
  action              = "lambda:InvokeFunction"
  function_name       = module.function.function_name
  qualifier           = module.function.invocation.qualifier
  principal           = "apigateway.amazonaws.com"
  source_arn          = aws_lambda_permission.api.source_arn

  lifecycle {
    create_before_destroy = true
  }
}

# The addresses before routes could go to an API of the user's.
moved {
  from = aws_apigatewayv2_api.this
  to   = aws_apigatewayv2_api.this[0]
}

moved {
  from = aws_apigatewayv2_stage.this
  to   = aws_apigatewayv2_stage.this[0]
}

moved {
  from = aws_cloudwatch_log_group.access
  to   = aws_cloudwatch_log_group.access[0]
}
