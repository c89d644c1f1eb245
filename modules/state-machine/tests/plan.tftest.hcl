# Plans with the real provider and no access to AWS: policies are what AWS would get.

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
  name       = "package-asset"
  definition = jsonencode({ StartAt = "Wait", States = { Wait = { Type = "Wait", Seconds = 1, End = true } } })
}

override_resource {
  target          = aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/package-asset"
  }
}

run "only_this_state_machine_may_take_the_role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this[0].assume_role_policy).Statement == [{
      Sid       = "StepFunctions"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = {
        ArnEquals = { "aws:SourceArn" = [
          "arn:aws:states:eu-west-1:123456789012:stateMachine:package-asset-express", # another type's
          "arn:aws:states:eu-west-1:123456789012:stateMachine:package-asset",
        ] }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }]
    error_message = "Step Functions may take the role for this state machine of this account, and for no other."
  }
}

run "errors_are_logged_without_payloads" {
  command = plan

  assert {
    condition     = aws_sfn_state_machine.this.logging_configuration[0].level == "ERROR" && aws_sfn_state_machine.this.logging_configuration[0].include_execution_data == false
    error_message = "The log must tell of errors, and hold no payloads."
  }

  assert {
    condition     = aws_sfn_state_machine.this.tracing_configuration[0].enabled == false
    error_message = "X-Ray bills each trace: it must be off unless it is asked for, and be turned off again."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this[0].name == "/aws/vendedlogs/states/package-asset" && aws_sfn_state_machine.this.logging_configuration[0].log_destination == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/package-asset:*"
    error_message = "The log must go to the module's group."
  }
}

run "the_workflow_may_do_what_its_statements_say" {
  command = plan

  variables {
    policy_statements = {
      Order = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"] }
    }
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Sid] == ["DeliverLogs", "Order"]
    error_message = "The role may deliver logs, and what the user says."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Sid if contains(s.Resource, "*")] == ["DeliverLogs"]
    error_message = "Only log delivery, which knows no resources, may have a wildcard."
  }
}

run "executions_are_traced_where_the_deployment_is" {
  command = plan

  variables {
    settings = { tracing = "Active" }
  }

  assert {
    condition     = aws_sfn_state_machine.this.tracing_configuration[0].enabled
    error_message = "The executions must be traced."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Action if s.Sid == "TraceExecutions"] == [["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]]
    error_message = "Step Functions needs the permission in the workflow's role."
  }
}

run "alarms_are_about_this_state_machine_and_notify" {
  command = plan

  variables {
    settings = { alarms = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:alarms"], warning = ["arn:aws:sns:eu-west-1:123456789012:chat"] } } }
  }

  assert {
    condition = { for fact, alarm in module.alarms.alarms : fact => one(alarm.actions["ALARM"]) } == {
      failed    = "arn:aws:sns:eu-west-1:123456789012:alarms"
      throttled = "arn:aws:sns:eu-west-1:123456789012:chat"
    } && module.alarms.alarms["failed"].expression == "FILL(failed, 0) + FILL(timed_out, 0)"
    error_message = "Failed and timed-out executions need a person; throttled ones are a warning."
  }
}

run "alarms_can_be_off" {
  command = plan

  variables {
    settings = { alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "An environment may want no alarms."
  }
}

run "logs_are_kept_as_the_settings_say" {
  command = plan

  variables {
    settings = { logs = { retention_days = 0, class = "INFREQUENT_ACCESS" } }
  }

  assert {
    condition     = aws_cloudwatch_log_group.this[0].retention_in_days == 0 && aws_cloudwatch_log_group.this[0].log_group_class == "INFREQUENT_ACCESS"
    error_message = "0 keeps logs for ever."
  }
}

run "an_express_workflow_has_no_throttled_metric" {
  command = plan

  variables {
    type = "EXPRESS"
  }

  assert {
    condition     = length(output.alarm_names.warning) == 0
    error_message = "An alarm on a metric that does not exist would never go off."
  }
}

run "a_definition_without_states_is_refused" {
  command = plan

  variables {
    definition = jsonencode({ StartAt = "Wait" })
  }

  expect_failures = [var.definition]
}

run "t3_wildcard_actions_are_refused" {
  command = plan

  variables {
    policy_statements = { Everything = { actions = ["lambda:*"], resources = ["*"] } }
  }

  expect_failures = [var.policy_statements]
}

run "an_unknown_type_is_refused" {
  command = plan

  variables {
    type = "standard"
  }

  expect_failures = [var.type]
}

run "a_role_of_the_users_is_taken_as_it_is" {
  command = plan

  # Not known when planned, or the provider would send the definition to AWS.
  override_resource {
    target          = aws_cloudwatch_log_group.this
    override_during = apply
  }

  variables {
    existing_role = { arn = "arn:aws:iam::123456789012:role/teams/workflow" }
  }

  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role_policy.this) + length(aws_iam_policy.this) == 0 && aws_sfn_state_machine.this.role_arn == "arn:aws:iam::123456789012:role/teams/workflow"
    error_message = "There is a role or a policy besides the user's."
  }
}

run "a_log_group_of_the_users_is_taken_as_it_is" {
  command = plan

  variables {
    existing_log_group = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/teams" }
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.this) == 0 && aws_sfn_state_machine.this.logging_configuration[0].log_destination == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/teams:*"
    error_message = "The workflow has another log group."
  }
}
