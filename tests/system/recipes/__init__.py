"""Each recipe of docs/how-to/recipes, played to its end on the local cloud.

A module here plays the recipe of its name (`asset_ready_to_publish` plays `docs/how-to/recipes/asset-ready-to-publish`)
by one function::

    def play(recipe: DeployedRecipe) -> None:
        recipe.send("mux", "asset.ready", {"data.duration": 12})  # a sample, as `media-events send` sends it
        (request,) = recipe.got("cms")  # what the stand-in of the destination `cms` got, once it has got it
        assert json.loads(request.body)["duration_seconds"] == 12

The workflow file is deployed as it is, in its environment `local`. What it names of others is played as
`media-events dev` plays it: an HTTP destination by a receiver, queues, topics and so on by local ones, which
`recipe.clients` reach. Recipes share a cloud, so their workflows' names, and the ARNs that they name, differ.

After ``play``, `test_recipes.py` asserts of every recipe that each event that was sent has come to its end, that
receivers got no request that ``got`` was not asked for, that no dead letter waits and that nothing is in review.
"""
