# What the rule itself sends to: API destinations and log groups, with what they need, with the real provider and no access to AWS.

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
  name    = "media-test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
    alarms  = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:operators"] } }
  }

  routes = {
    to-crm = {
      pattern     = jsonencode({ detail-type = ["asset.ready"] })
      destination = "crm"
      rule_retry  = { max_age_seconds = 7200, max_attempts = 20 }
      target = { api_destination = {
        url                   = "https://crm.example.com/assets/*"
        rate_limit_per_second = 20
        auth                  = { type = "api-key", header = "X-Key", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf" }
        headers               = { X-Type = "$.detail-type" }
        query                 = { by = "media" }
        path_values           = ["$.detail.metadata.subject"]
        input_transformer     = { paths = { data = "$.detail.data" }, template = "{\"asset\": <data>}\n" }
      } }
    }
    deletions-to-crm = {
      pattern     = jsonencode({ detail-type = ["asset.deleted"] })
      destination = "crm"
      enabled     = false
      target = { api_destination = {
        url                   = "https://crm.example.com/assets/*"
        rate_limit_per_second = 20
        auth                  = { type = "api-key", header = "X-Key", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf" }
        headers               = { idempotency-key = "$.id" }
        path_values           = ["$.detail.metadata.subject"]
      } }
    }
    to-erp = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target = { api_destination = {
        url = "https://erp.example.com/events"
        auth = {
          type              = "basic"
          secret_arn        = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp-AbCdEf"
          secret_version_id = "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1"
        }
      } }
    }
    to-rights = {
      pattern     = jsonencode({ detail-type = ["asset.ready"] })
      destination = "rights.main"
      target = { api_destination = {
        url = "https://rights.example.com/events"
        auth = {
          type       = "oauth2-client-credentials"
          secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rights-AbCdEf"
          token_url  = "https://id.example.com/token"
          scope      = "events"
        }
      } }
    }
    to-theirs = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target = { api_destination = {
        url        = "https://theirs.example.com/events"
        connection = { arn = "arn:aws:events:eu-west-1:123456789012:connection/theirs/0f6c3c1e" }
      } }
    }
    to-audit = {
      pattern   = jsonencode({})
      match_all = true
      target    = { logs = {} }
    }
    failures-to-audit = {
      pattern     = jsonencode({ detail-type = [{ suffix = ".failed" }] })
      destination = "to-audit"
      target = { logs = { input_transformer = {
        paths    = { at = "$.time", id = "$.detail.metadata.id" }
        template = "{\"timestamp\": <at>, \"message\": \"failed: <id>\"}"
      } } }
    }
    to-shared-log = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { logs = { log_group = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/shared" } } }
    }
  }
}

override_resource {
  target          = aws_cloudwatch_event_api_destination.this["crm"]
  override_during = plan
  values          = { arn = "arn:aws:events:eu-west-1:123456789012:api-destination/media-test-crm/11111111" }
}

override_resource {
  target          = aws_cloudwatch_event_api_destination.this["to-theirs"]
  override_during = plan
  values          = { arn = "arn:aws:events:eu-west-1:123456789012:api-destination/media-test-to-theirs/22222222" }
}

override_resource {
  target          = aws_iam_role.api_destination["to-crm"]
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/media-test-to-crm-target" }
}

override_resource {
  target          = aws_cloudformation_stack.connection
  override_during = plan
  values          = { outputs = { Arn = "arn:aws:events:eu-west-1:123456789012:connection/made/33333333" } }
}

override_resource {
  target          = module.hop["to-crm"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:dlq", url = "https://sqs.example/dlq" }
}

run "t11_connections_refer_to_secrets_and_never_hold_them" {
  command = plan

  assert {
    condition     = toset(keys(aws_cloudformation_stack.connection)) == toset(["crm", "to-erp", "rights.main"])
    error_message = "One connection for each destination that the module is to make known, none for one that exists."
  }

  assert {
    condition = { for destination, stack in aws_cloudformation_stack.connection : destination => jsondecode(stack.template_body).Resources.Connection.Properties } == {
      crm = {
        Name              = "media-test-crm"
        AuthorizationType = "API_KEY"
        AuthParameters = { ApiKeyAuthParameters = {
          ApiKeyName  = "X-Key"
          ApiKeyValue = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf:SecretString}}"
        } }
      }
      to-erp = {
        Name              = "media-test-to-erp"
        AuthorizationType = "BASIC"
        AuthParameters = { BasicAuthParameters = {
          Username = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp-AbCdEf:SecretString:username::EXAMPLE1-90ab-cdef-fedc-ba987SECRET1}}"
          Password = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp-AbCdEf:SecretString:password::EXAMPLE1-90ab-cdef-fedc-ba987SECRET1}}"
        } }
      }
      "rights.main" = {
        Name              = "media-test-rights.main"
        AuthorizationType = "OAUTH_CLIENT_CREDENTIALS"
        AuthParameters = { OAuthParameters = {
          AuthorizationEndpoint = "https://id.example.com/token"
          HttpMethod            = "POST"
          ClientParameters = {
            ClientID     = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:rights-AbCdEf:SecretString:client_id}}"
            ClientSecret = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:rights-AbCdEf:SecretString:client_secret}}"
          }
          OAuthHttpParameters = { BodyParameters = [
            { Key = "grant_type", Value = "client_credentials", IsValueSecret = false },
            { Key = "scope", Value = "events", IsValueSecret = false },
          ] }
        } }
      }
    }
    error_message = "CloudFormation must get references, and EventBridge what each way of authentication needs."
  }

  assert {
    condition = (
      aws_cloudformation_stack.connection["crm"].name == "media-test-crm-connection"
      && startswith(aws_cloudformation_stack.connection["rights.main"].name, "connection-media-test-rights-main-")
    )
    error_message = "A stack's name has letters, digits and hyphens only, and two destinations never share one."
  }
}

run "destinations_share_one_api_destination_and_its_limit" {
  command = plan

  assert {
    condition = (
      toset(keys(aws_cloudwatch_event_api_destination.this)) == toset(["crm", "to-erp", "rights.main", "to-theirs"])
      && aws_cloudwatch_event_api_destination.this["crm"].invocation_rate_limit_per_second == 20
      && aws_cloudwatch_event_api_destination.this["crm"].invocation_endpoint == "https://crm.example.com/assets/*"
      && aws_cloudwatch_event_api_destination.this["crm"].connection_arn == "arn:aws:events:eu-west-1:123456789012:connection/made/33333333"
      && aws_cloudwatch_event_api_destination.this["to-theirs"].connection_arn == "arn:aws:events:eu-west-1:123456789012:connection/theirs/0f6c3c1e"
      && aws_cloudwatch_event_api_destination.this["to-erp"].invocation_rate_limit_per_second == 300
    )
    error_message = "Two routes to one destination must not double its limit."
  }
}

run "api_destinations_are_called_by_a_role_of_the_rules_own" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_event_target.this["to-crm"].arn == "arn:aws:events:eu-west-1:123456789012:api-destination/media-test-crm/11111111"
      && aws_cloudwatch_event_target.this["to-crm"].role_arn == "arn:aws:iam::123456789012:role/media-test-to-crm-target"
      && aws_cloudwatch_event_target.this["to-crm"].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:dlq"
      && aws_cloudwatch_event_target.this["to-crm"].retry_policy[0].maximum_event_age_in_seconds == 7200
      && aws_cloudwatch_event_target.this["to-crm"].retry_policy[0].maximum_retry_attempts == 20
      && aws_cloudwatch_event_target.this["to-crm"].input_transformer[0].input_template == "{\"asset\": <data>}"
      && aws_cloudwatch_event_rule.this["deletions-to-crm"].state == "DISABLED"
    )
    error_message = "The target must be complete: role, dead-letter queue, retry, transformer, switch."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.this["to-crm"].http_target[0].header_parameters == tomap({ Idempotency-Key = "$.detail.metadata.id", X-Type = "$.detail-type" })
      && aws_cloudwatch_event_target.this["deletions-to-crm"].http_target[0].header_parameters == tomap({ idempotency-key = "$.id" })
      && aws_cloudwatch_event_target.this["to-crm"].http_target[0].query_string_parameters == tomap({ by = "media" })
      && aws_cloudwatch_event_target.this["to-crm"].http_target[0].path_parameter_values == tolist(["$.detail.metadata.subject"])
      && length(aws_cloudwatch_event_target.this["to-audit"].http_target) == 0
    )
    error_message = "A receiver must be able to tell repetitions, by the event's id unless the user says otherwise."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.api_destination["deletions-to-crm"].policy).Statement == [{
      Sid      = "Call"
      Effect   = "Allow"
      Action   = ["events:InvokeApiDestination"]
      Resource = ["arn:aws:events:eu-west-1:123456789012:api-destination/media-test-crm/11111111"]
    }]
    error_message = "The role may call its own API destination and nothing else."
  }

  assert {
    condition = jsondecode(aws_iam_role.api_destination["to-crm"].assume_role_policy).Statement[0].Condition == {
      ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-to-crm" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "Only the route's own rule may take the role."
  }
}

# proves: destination: logs
run "log_groups_let_the_rules_in" {
  command = plan

  assert {
    condition = (
      keys(aws_cloudwatch_log_group.target) == ["to-audit"]
      && aws_cloudwatch_log_group.target["to-audit"].name == "/aws/events/media-test-to-audit"
      && aws_cloudwatch_log_group.target["to-audit"].retention_in_days == 30
      && aws_cloudwatch_event_target.this["to-audit"].arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/media-test-to-audit"
      && aws_cloudwatch_event_target.this["failures-to-audit"].arn == aws_cloudwatch_event_target.this["to-audit"].arn
      && aws_cloudwatch_event_target.this["to-shared-log"].arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/shared"
      && aws_cloudwatch_event_target.this["to-audit"].role_arn == null
    )
    error_message = "A log group for the destination, or the one that exists, by its ARN without :*."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_log_resource_policy.rules[0].policy_document).Statement == [
      {
        Sid       = "RulesMakeStreams"
        Effect    = "Allow"
        Action    = "logs:CreateLogStream"
        Resource  = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/shared:*", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/media-test-to-audit:*"]
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
      },
      {
        Sid       = "RulesWriteEvents"
        Effect    = "Allow"
        Action    = "logs:PutLogEvents"
        Resource  = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/shared:*:*", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/media-test-to-audit:*:*"]
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-*" } }
      },
    ]
    error_message = "Without this policy EventBridge writes nothing, and says so nowhere but in FailedInvocations."
  }

  assert {
    condition = output.log_target_names == {
      to-audit          = "/aws/events/media-test-to-audit"
      failures-to-audit = "/aws/events/media-test-to-audit"
      to-shared-log     = "/aws/events/shared"
    }
    error_message = "The output must say where to read."
  }
}

run "the_policy_of_log_groups_can_be_the_users_own" {
  command = plan

  variables {
    manage_log_policy = false
  }

  assert {
    condition     = length(aws_cloudwatch_log_resource_policy.rules) == 0 && strcontains(output.log_target_policy, "logs:PutLogEvents")
    error_message = "An account has ten such policies in a region at most."
  }
}

run "dead_letters_alarms_and_the_way_back_are_those_of_every_rule" {
  command = plan

  assert {
    condition = (
      [for hop in values(module.hop) : hop.dlq_name] == [for key in keys(var.routes) : "media-test-${key}-dlq"]
      && toset(keys(output.alarm_names.critical)) == toset(flatten([for key in keys(var.routes) : ["route/${key}/dlq-age", "router/media-test/${key}-rule-failed"]]))
      && jsondecode(module.hop["to-audit"].dlq_policy).Statement[1].Condition.ArnEquals["aws:SourceArn"] == ["arn:aws:events:eu-west-1:123456789012:rule/media/media-test-to-audit"]
      && alltrue([for queue in values(output.dead_letter_queues) : queue.redrive_target == "bus" && queue.source_queue_arn == null])
      && output.dead_letter_queues["route/deletions-to-crm"].destination == "crm"
      && length(aws_dynamodb_table.idempotency) == 0
    )
    error_message = "What a rule could not deliver goes back by the bus, for its rule alone."
  }

  assert {
    condition     = strcontains(module.alarms.alarms["to-crm-rule-failed"].description, "https://crm.example.com/assets/*")
    error_message = "The alarm must say what could not be reached."
  }
}

run "a_key_of_ones_own_encrypts_log_groups_and_connections" {
  command = plan

  variables {
    settings = { kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }, bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.target["to-audit"].kms_key_id == var.settings.kms_key.arn
      && jsondecode(aws_cloudformation_stack.connection["crm"].template_body).Resources.Connection.Properties.KmsKeyIdentifier == var.settings.kms_key.arn
    )
    error_message = "Everything that stores events or secrets must use the key."
  }
}
