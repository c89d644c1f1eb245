# A dashboard of a queue, a bus and a route, and queries of their functions' logs.
#
# In another repository: source = "git::https://github.com/<owner>/<repository>//modules/<module>?ref=<tag>"

module "bus" {
  source = "../../modules/bus-custom"

  name = "media-example"
}

module "queue" {
  source = "../../modules/ingress-sqs"

  name          = "media-example-queue"
  bus_arn       = module.bus.bus_arn
  partner       = "mux"
  specification = jsonencode({ preset = "mux" })
}

module "router" {
  source = "../../modules/router"

  name    = "media-example"
  bus_arn = module.bus.bus_arn

  routes = {
    catalogue = {
      pattern = jsonencode({ source = ["partner.mux"] })
      target  = { http = { url = "https://catalogue.example.com/events" } }
    }
  }
}

# After `terraform apply` the dashboard is in CloudWatch under Dashboards, the queries in Logs Insights under Saved queries.
module "dashboard" {
  source = "../../modules/dashboard"

  name               = "media-example"
  bus_arn            = module.bus.bus_arn
  function_arns      = merge(module.queue.function_arns, module.router.function_arns)
  dead_letter_queues = merge(module.queue.dead_letter_queues, module.router.dead_letter_queues)
  log_group_names    = merge(module.queue.log_group_names, module.router.log_group_names)
}
