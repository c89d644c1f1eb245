# The policies for people at the review desk. Applied to mocks: the table's ARN is in them.

mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-review"
      invoke_arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-review"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/media-test-review" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:media-test-review" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name           = "media-test-review"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  archive_arn    = "arn:aws:events:eu-west-1:123456789012:archive/media"
  bucket         = { name = "kit", arn = "arn:aws:s3:::kit" }
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }

  dead_letter_queues = {
    "route/cms" = {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"
      queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
      hop              = "route/cms"
      destination      = "cms"
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-cms"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
      route_back       = "queue"

      ledger_table_name = "media-ledger"
      ledger_table_arn  = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-ledger"
    }
  }
}

run "each_policy_holds_what_its_name_says" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.read).Statement :
      alltrue([for action in statement.Action : contains(["dynamodb:GetItem", "dynamodb:Query", "s3:GetObject"], action)])
    ])
    error_message = "Who may read may only read."
  }

  assert {
    condition = alltrue([for policy in values(output.operator_policies) : alltrue([
      for statement in jsondecode(policy).Statement : alltrue([
        for action in statement.Action : !contains(["dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:*"], action)
      ]) || statement.Sid == "ForgetEffects"
    ])])
    error_message = "Nobody deletes items or the audit."
  }

  assert {
    condition = [for statement in jsondecode(output.operator_policies.replay).Statement : statement.Resource if contains(statement.Action, "sqs:SendMessage")] == [
      ["arn:aws:sqs:eu-west-1:123456789012:media-cms"]
    ]
    error_message = "A replay sends to the hops' queues, and to no other."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.administer).Statement :
      !contains(statement.Action, "sqs:SendMessage") && !contains(statement.Action, "events:PutEvents")
    ])
    error_message = "Who archives need not be able to send."
  }

  assert {
    condition = {
      for name, policy in output.operator_policies : name => flatten([
        for statement in jsondecode(policy).Statement : statement.Resource if contains(statement.Action, "dynamodb:DeleteItem")
      ])
      } == {
      read           = []
      replay         = []
      administer     = []
      replay_archive = []
      repeat_effects = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-ledger"]
    }
    error_message = "Only who may repeat effects may forget them, in the ledgers alone."
  }

  assert {
    condition = distinct(flatten([
      for statement in jsondecode(output.operator_policies.replay_archive).Statement : statement.Resource
      if anytrue([for action in statement.Action : startswith(action, "sqs:") || endswith(action, "Rule")])
      ])) == tolist([
      "arn:aws:events:eu-west-1:123456789012:rule/media/media-replay-*",
      "arn:aws:sqs:eu-west-1:123456789012:media-replay-*",
    ])
    error_message = "A replay makes rules and queues of its own, and touches no other."
  }
}

run "without_an_archive_there_is_none_to_replay" {
  command = apply

  variables {
    archive_arn = null
  }

  assert {
    condition     = join(" ", keys(output.operator_policies)) == "administer read replay"
    error_message = "Without an archive there are the policies of the review desk alone."
  }
}
