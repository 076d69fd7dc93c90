"""Transformation of XML by stylesheets."""
