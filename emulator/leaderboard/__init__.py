"""Results of many runs side by side: seeds as one entry, ranks, the targets that were set, studies,
and the release of a network with its model card.
"""
