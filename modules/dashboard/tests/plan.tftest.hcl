# Plans with the real provider and no access to AWS: the body and the queries are what AWS would get.

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
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"

  function_arns = { for hop, name in {
    "ingress/media-webhook" = "media-webhook"
    "transform/tidy"        = "media-tidy"
    "route/to-cms"          = "media-to-cms"
    "route/to-cms-again"    = "media-to-cms-again"
    "route/to-crm"          = "media-to-crm"
    "review/media-review"   = "media-review"
  } : hop => "arn:aws:lambda:eu-west-1:123456789012:function:${name}" }

  dead_letter_queues = {
    "ingress/media-webhook" = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-webhook-dlq", destination = "bus" }
    "route/to-cms"          = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-to-cms-dlq", source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-to-cms", destination = "cms", idempotency_table = { name = "media-idempotency" } }
    "route/to-cms-again"    = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-again-dlq", destination = "cms", idempotency_table = { name = "media-idempotency" } }
    "route/to-crm"          = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-to-crm-dlq", destination = "crm", idempotency_table = { name = "media-idempotency" } }
    "route/by-rule"         = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-by-rule-dlq", destination = "lake" }
  }

  log_group_names = {
    "ingress/media-webhook" = "/aws/lambda/media-webhook"
    "route/to-cms"          = "/aws/lambda/media-to-cms"
    "review/media-review"   = "/aws/lambda/media-review"
  }
}

run "the_first_row_is_the_path_from_left_to_right" {
  command = plan

  assert {
    condition     = [for widget in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 0, 6) : "${widget.properties.title} ${widget.properties.view} ${widget.width}"] == [for part in ["1 Ingress", "2 Bus", "3 Transforms", "4 Routes", "5 Destinations", "6 Failure path"] : "${part} singleValue 4"]
    error_message = "Six numbers' widgets must fill a row, in the order of the path."
  }

  assert {
    condition = [for row in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[3].properties.metrics : row[0].expression if length(row) == 1] == [
      "SUM(METRICS(\"done\"))", "SUM(METRICS(\"waiting\"))", "MAX(METRICS(\"oldest\"))",
    ]
    error_message = "The routes' figures must be sums and a maximum."
  }

  assert {
    condition = [for row in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[3].properties.metrics : "${row[3]} ${row[4].id} ${row[4].visible}" if try(row[4].stat, "") == "Sum"] == [
      "media-to-cms done0 false", "media-to-cms-again done1 false", "media-to-crm done2 false",
    ]
    error_message = "The sum must be over every route's own metric, which is hidden."
  }
}

run "routes_to_one_destination_are_added_up" {
  command = plan

  assert {
    condition = one([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
      for row in widget.properties.metrics : "${row[0].label}: ${row[0].expression}" if length(row) == 1
      ] if widget.properties.title == "Events delivered, by destination"]) == [
      "cms: SUM([d0r0,d0r1])", "crm: SUM([d1r0])",
    ]
    error_message = "Each destination must have one line over all its routes, and one that no function delivers to none."
  }
}

run "partners_are_found_by_their_metrics" {
  command = plan

  assert {
    condition = one([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.metrics if widget.properties.title == "Events accepted, by partner"]) == [
      [{ expression = "SEARCH('{MediaEvents,partner,service} MetricName=\"EventsAccepted\" service=\"media-webhook\"', 'Sum', 300)", label = "$${PROP('Dim.partner')}" }],
    ]
    error_message = "The line of a partner must be named after it."
  }
}

run "nothing_empty_is_shown" {
  command = plan

  variables {
    bus_arn            = null
    function_arns      = { "transform/tidy" = "arn:aws:lambda:eu-west-1:123456789012:function:media-tidy" }
    dead_letter_queues = {}
    log_group_names    = {}
  }

  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics) > 0])
    error_message = "AWS refuses a graph without metrics."
  }

  assert {
    condition     = length(aws_cloudwatch_query_definition.this) == 0
    error_message = "Without log groups there is nothing to ask."
  }
}

run "alarms_are_on_top" {
  command = plan

  variables {
    alarm_arns = ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:media-test-person-needed"]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms[0] == var.alarm_arns[0]
    error_message = "The states of alarms must come first."
  }
}

run "a_large_deployment_keeps_the_graphs_by_hop_and_the_limits" {
  command = plan

  variables {
    function_arns = { for index in range(240) : "route/to-${index}" => "arn:aws:lambda:eu-west-1:123456789012:function:media-to-${index}" }
    dead_letter_queues = { for index in range(240) : "route/to-${index}" => {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-to-${index}-dlq"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-to-${index}"
      destination      = "d${index}"
    } }
    log_group_names = { for index in range(120) : "route/to-${index}" => "/aws/lambda/media-to-${index}" }
  }

  assert {
    condition     = sum([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)]) <= 2500
    error_message = "CloudWatch takes 2,500 metrics."
  }

  assert {
    condition     = max([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)]...) <= 500
    error_message = "CloudWatch takes 500 metrics in a graph."
  }

  assert {
    condition = [for key, query in aws_cloudwatch_query_definition.this : "${query.name}: ${length(query.log_group_names)}" if startswith(key, "Way")] == [
      "media-test/Way of one event (1 of 3): 50", "media-test/Way of one event (2 of 3): 50", "media-test/Way of one event (3 of 3): 20",
    ]
    error_message = "A query names 50 log groups at most."
  }
}

run "sixty_partners_and_a_hundred_routes_have_every_figure" {
  command = plan

  variables {
    function_arns = merge(
      { for index in range(100) : "route/to-${index}" => "arn:aws:lambda:eu-west-1:123456789012:function:media-to-${index}" },
      { for index in range(10) : "transform/t-${index}" => "arn:aws:lambda:eu-west-1:123456789012:function:media-t-${index}" },
      { for index in range(5) : "ingress/i-${index}" => "arn:aws:lambda:eu-west-1:123456789012:function:media-i-${index}" },
    )
    dead_letter_queues = { for index in range(100) : "route/to-${index}" => {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-to-${index}-dlq"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-to-${index}"
      destination      = "d${index}"
    } }
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.title == "1 Ingress"
    error_message = "The path must be shown."
  }
}

run "queries_search_the_logs_that_have_the_answer" {
  command = plan

  assert {
    condition = jsonencode({ for key, query in aws_cloudwatch_query_definition.this : key => sort(query.log_group_names) }) == jsonencode({
      "Way of one event"                       = ["/aws/lambda/media-review", "/aws/lambda/media-to-cms", "/aws/lambda/media-webhook"]
      "Events of a correlation id or subject"  = ["/aws/lambda/media-webhook"]
      "Failures by hop and error"              = ["/aws/lambda/media-review", "/aws/lambda/media-to-cms", "/aws/lambda/media-webhook"]
      "Refused requests by partner and reason" = ["/aws/lambda/media-webhook"]
      "Slowest deliveries"                     = ["/aws/lambda/media-to-cms"]
    })
    error_message = "Refusals are the ingresses', deliveries the routes'."
  }
}
