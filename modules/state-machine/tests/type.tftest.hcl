# Another type is another state machine, which stands beside the former one: applied without AWS.

mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/package-asset" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/package-asset" }
  }
}

variables {
  name       = "package-asset"
  definition = jsonencode({ StartAt = "Wait", States = { Wait = { Type = "Wait", Seconds = 1, End = true } } })
}

run "first_type_has_the_plain_name" {
  assert {
    condition     = aws_sfn_state_machine.this.name == "package-asset"
    error_message = "The first machine has the module's name."
  }
}

run "another_type_has_a_name_of_its_own" {
  variables {
    type = "EXPRESS"
  }

  assert {
    condition     = aws_sfn_state_machine.this.name == "package-asset-express"
    error_message = "AWS knows one machine of a name, so the new one needs another."
  }

  assert {
    condition     = length(jsondecode(aws_iam_role.this[0].assume_role_policy).Statement[0].Condition.ArnEquals["aws:SourceArn"]) == 2
    error_message = "Executions of the former machine still run, and need the role."
  }
}

run "first_type_takes_its_name_again" {
  assert {
    condition     = aws_sfn_state_machine.this.name == "package-asset"
    error_message = "The way back is one apply, too."
  }
}
