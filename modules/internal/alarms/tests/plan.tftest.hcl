mock_provider "aws" {}

variables {
  name  = "media-test"
  owner = "route/cms"
  settings = { alarms = { actions = {
    critical = ["arn:aws:sns:eu-west-1:123456789012:page"]
    warning  = ["arn:aws:sns:eu-west-1:123456789012:chat"]
  } } }
  alarms = {
    crashed = {
      severity    = "critical"
      description = "It crashed."
      runbook     = "errors"
      metrics     = { errors = { namespace = "AWS/Lambda", name = "Errors", dimensions = { FunctionName = "cms" }, stat = "Sum" } }
    }
    slow = {
      severity    = "warning"
      description = "It is slow."
      runbook     = "latency"
      metrics     = { latency = { namespace = "AWS/ApiGateway", name = "Latency", stat = "p99" } }
      missing     = "missing"
    }
    failed = {
      severity    = "critical"
      description = "It failed, or timed out."
      runbook     = "failed"
      metrics = {
        failed = { namespace = "AWS/States", name = "ExecutionsFailed", stat = "Sum" }
        late   = { namespace = "AWS/States", name = "ExecutionsTimedOut", stat = "Sum" }
      }
      expression = "FILL(failed, 0) + FILL(late, 0)"
    }
    lost = {
      severity    = "critical"
      description = "Something on the bus is lost."
      runbook     = "dead-letters-lost"
      expression  = "SELECT SUM(FailedInvocations) FROM \"AWS/Events\""
    }
  }
}

run "an_alarm_notifies_whom_its_severity_names_and_of_no_recovery" {
  command = plan

  assert {
    condition = { for fact, alarm in aws_cloudwatch_metric_alarm.this : fact => one(alarm.alarm_actions) } == {
      crashed = "arn:aws:sns:eu-west-1:123456789012:page"
      failed  = "arn:aws:sns:eu-west-1:123456789012:page"
      lost    = "arn:aws:sns:eu-west-1:123456789012:page"
      slow    = "arn:aws:sns:eu-west-1:123456789012:chat"
    }
    error_message = "Each severity has its own actions."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.ok_actions) == 0])
    error_message = "The first apply would send as many notifications as there are alarms."
  }

  assert {
    condition     = { for fact, alarm in aws_cloudwatch_metric_alarm.this : fact => length(alarm.insufficient_data_actions) } == { crashed = 0, failed = 0, lost = 0, slow = 1 }
    error_message = "No data is news only where data must come."
  }
}

run "a_description_ends_with_the_address_of_its_section_of_the_runbook" {
  command = plan

  variables {
    settings = { alarms = { runbook_url = "https://wiki.example.com/media" } }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].alarm_description == "It is slow. Runbook: https://wiki.example.com/media#latency"
    error_message = "Who gets the notification alone must find what to do."
  }
}

run "one_metric_is_named_and_several_are_joined" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["crashed"].metric_name == "Errors" && aws_cloudwatch_metric_alarm.this["crashed"].statistic == "Sum"
      && aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["slow"].statistic == null
      && length(aws_cloudwatch_metric_alarm.this["crashed"].metric_query) == 0
    )
    error_message = "A percentile is an extended statistic."
  }

  assert {
    condition = (
      length(aws_cloudwatch_metric_alarm.this["failed"].metric_query) == 3 && aws_cloudwatch_metric_alarm.this["failed"].period == null
      && [for query in aws_cloudwatch_metric_alarm.this["failed"].metric_query : query.expression if query.return_data] == ["FILL(failed, 0) + FILL(late, 0)"]
      && one(aws_cloudwatch_metric_alarm.this["lost"].metric_query).period == 300
    )
    error_message = "An alarm is on one result; a query, which finds its metrics itself, has the period."
  }
}

run "the_names_are_listed_by_severity" {
  command = plan

  assert {
    condition = output.names == {
      critical = { for fact in ["crashed", "failed", "lost"] : "route/cms/${fact}" => "media-test-${fact}" }
      warning  = { "route/cms/slow" = "media-test-slow" }
    }
    error_message = "Composite alarms are made of the names."
  }
}

run "recoveries_are_told_of_where_they_are_asked_for" {
  command = plan

  variables {
    settings = { alarms = { notify_on = ["OK"], actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:page"] } } }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["crashed"].ok_actions) == 1 && length(aws_cloudwatch_metric_alarm.this["crashed"].alarm_actions) == 0
    error_message = "notify_on names the states."
  }
}

run "alarms_are_made_by_severity" {
  command = plan

  variables {
    settings = { alarms = { severities = ["warning"] } }
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["slow"] && length(output.names.critical) == 0
    error_message = "Only what is asked for is made, and paid for."
  }
}

run "alarms_can_be_off" {
  command = plan

  variables {
    settings = { alarms = { enabled = false } }
  }

  assert {
    condition     = output.names == { critical = {}, warning = {} }
    error_message = "An environment may want no alarms."
  }
}

run "an_unknown_severity_is_refused" {
  command = plan

  variables {
    settings = { alarms = { severities = ["fatal"] } }
  }

  expect_failures = [var.settings]
}

run "an_unknown_state_is_refused" {
  command = plan

  variables {
    settings = { alarms = { notify_on = ["ok"] } }
  }

  expect_failures = [var.settings]
}
