################################################################################
# API destinations: HTTPS endpoints that EventBridge itself calls
################################################################################

locals {
  # First those of now. Other routes' destinations may be unknown, and must not decide.
  api_keys   = keys(local.routes_to_api)
  api_routes = [for key in concat(local.current_route_keys, local.retired_keys) : key if contains(local.api_keys, key)]

  # One per destination, whatever number of routes leads there: its rate limit is for all of them.
  api_destinations = { for destination in distinct([for key in local.api_routes : local.destinations[key]]) :
    destination => [for key in local.api_routes : local.routes_to_api[key].target.api_destination if local.destinations[key] == destination][0]
  }
  made_connections = { for destination, api in local.api_destinations : destination => api.auth if api.auth != null }

  # A receiver can tell repetitions by it, as with what a function delivers.
  api_headers = { for key, route in local.routes_to_api : key => merge(
    contains([for name in keys(route.target.api_destination.headers) : lower(name)], "idempotency-key") ? {} : { Idempotency-Key = "$.detail.metadata.id" },
    route.target.api_destination.headers,
  ) }

  # {{resolve:secretsmanager:<arn>:SecretString:<key in its JSON>:<stage>:<version>}}: CloudFormation reads the value when it makes or
  # changes the connection. What Terraform sees, and keeps in its state, is this text.
  secret_references = { for destination, auth in local.made_connections : destination => {
    for part in ["", "username", "password", "client_id", "client_secret"] : part => "{{resolve:secretsmanager:${auth.secret_arn}:SecretString${
      auth.secret_version_id == null ? (part == "" ? "" : ":${part}") : ":${part}::${auth.secret_version_id}"
    }}}"
  } }

  connection_auth = { for destination, auth in local.made_connections : destination => jsondecode(
    auth.type == "api-key" ? jsonencode({
      AuthorizationType = "API_KEY"
      AuthParameters    = { ApiKeyAuthParameters = { ApiKeyName = auth.header, ApiKeyValue = local.secret_references[destination][""] } }
    }) :
    auth.type == "basic" ? jsonencode({
      AuthorizationType = "BASIC"
      AuthParameters = { BasicAuthParameters = {
        Username = local.secret_references[destination]["username"]
        Password = local.secret_references[destination]["password"]
      } }
    }) :
    jsonencode({
      AuthorizationType = "OAUTH_CLIENT_CREDENTIALS"
      AuthParameters = { OAuthParameters = {
        AuthorizationEndpoint = auth.token_url
        HttpMethod            = "POST"
        ClientParameters = {
          ClientID     = local.secret_references[destination]["client_id"]
          ClientSecret = local.secret_references[destination]["client_secret"]
        }
        OAuthHttpParameters = { BodyParameters = [
          for name, value in { grant_type = "client_credentials", scope = auth.scope, audience = auth.audience } :
          { Key = name, Value = value, IsValueSecret = false } if value != null
        ] }
      } }
    })
  ) }

  # Not the rule's name, which is that of the role of a function. A role's path can't be changed: one of another path is another role.
  rule_role_room = 57 - length(var.settings.role_name_prefix)
  rule_role_names = { for key in local.api_keys : key => "${var.settings.role_name_prefix}${join("-", compact([
    substr(local.rule_names[key], 0, length(local.rule_names[key]) > local.rule_role_room || var.settings.role_path != "/" ? local.rule_role_room - 9 : local.rule_role_room),
    length(local.rule_names[key]) > local.rule_role_room || var.settings.role_path != "/" ? substr(sha256("${var.settings.role_path}${local.rule_names[key]}"), 0, 8) : "",
    "target",
  ]))}" }

  # A stack's name has letters, digits and hyphens only; what had to be replaced is told apart by a digest.
  stack_names = { for destination in keys(local.made_connections) : destination =>
    can(regex("^[A-Za-z][A-Za-z0-9-]*$", "${var.name}-${destination}")) ? "${var.name}-${destination}-connection" : join("-", [
      "connection",
      replace("${var.name}-${destination}", "/[^A-Za-z0-9-]/", "-"),
      substr(sha256("${var.name}-${destination}"), 0, 8),
    ])
  }
}

# By CloudFormation, as AWS advises for connections: the resource for them that the provider has wants the secret's value, and
# keeps it in the state.
resource "aws_cloudformation_stack" "connection" {
  #checkov:skip=CKV_AWS_124:Terraform waits for the stack and tells of its failure; there is nobody else to notify
  for_each = local.made_connections

  name = local.stack_names[each.key]
  tags = var.settings.tags

  template_body = jsonencode({
    Description = "How EventBridge makes itself known to ${each.key}"
    Resources = { Connection = {
      Type = "AWS::Events::Connection"
      Properties = merge(
        local.connection_auth[each.key],
        { Name = "${var.name}-${each.key}" },
        { for name, value in { KmsKeyIdentifier = one(var.settings.kms_key[*].arn) } : name => value if value != null },
      )
    } }
    Outputs = { Arn = { Value = { "Fn::GetAtt" = ["Connection", "Arn"] } } }
  })
}

resource "aws_cloudwatch_event_api_destination" "this" {
  for_each = local.api_destinations

  name                             = "${var.name}-${each.key}"
  description                      = "Where events for ${each.key} go"
  invocation_endpoint              = each.value.url
  http_method                      = each.value.method
  invocation_rate_limit_per_second = each.value.rate_limit_per_second
  connection_arn                   = each.value.connection == null ? aws_cloudformation_stack.connection[each.key].outputs["Arn"] : each.value.connection.arn

  # It and its connection go after the rules have other targets.
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  own_rule_roles = { for key, route in local.routes_to_api : key => route if route.target.api_destination.role == null }

  rule_role_arns = { for key, route in local.routes_to_api : key =>
    route.target.api_destination.role == null ? aws_iam_role.api_destination[key].arn : route.target.api_destination.role.arn
  }

  rule_policies = { for key in local.api_keys : key => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Call"
      Effect   = "Allow"
      Action   = ["events:InvokeApiDestination"]
      Resource = [aws_cloudwatch_event_api_destination.this[local.destinations[key]].arn]
    }]
  }) }
}

resource "aws_iam_role" "api_destination" {
  for_each = local.own_rule_roles

  name                 = local.rule_role_names[each.key]
  description          = "Lets the rule of route/${each.key} call ${local.destinations[each.key]}"
  path                 = var.settings.role_path
  permissions_boundary = var.settings.permissions_boundary_arn
  tags                 = var.settings.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rule"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = local.rule_arns[each.key] }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "api_destination" {
  for_each = { for key, route in local.own_rule_roles : key => route if var.settings.role_policies == "inline" }

  name   = "api-destination"
  role   = aws_iam_role.api_destination[each.key].name
  policy = local.rule_policies[each.key]

  # It and its role go after the rule has another target.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_policy" "api_destination" {
  for_each = { for key, route in local.own_rule_roles : key => route if var.settings.role_policies == "managed" }

  name        = aws_iam_role.api_destination[each.key].name
  description = "Lets the rule of route/${each.key} call ${local.destinations[each.key]}"
  path        = var.settings.role_path
  policy      = local.rule_policies[each.key]
  tags        = var.settings.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy_attachment" "api_destination" {
  for_each = aws_iam_policy.api_destination

  role       = aws_iam_role.api_destination[each.key].name
  policy_arn = each.value.arn

  lifecycle {
    create_before_destroy = true
  }
}
