"""Template filters and tags of the house: money, dates, shares, assets."""

from __future__ import annotations

from django import template

register = template.Library()
