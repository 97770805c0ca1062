"""Placement on a Spark cluster: the same passes over the accounts as in one process, on the machines that hold the accounts.

anywhere    solve · solve_folder: in this process, or where WEITUO_ENGINE says
spark       session(engine) -> SparkSession: WEITUO_ENGINE=spark://…; says what is missing: pyspark, Java
blocks      pack · unpack: rows as one binary value; plain NumPy, so that no column is decoded on the way
passes      Survey · Draw · Scan · Sift · Place: what a worker does with its blocks; loaded once by each worker
spread      from_cells · from_frame: accounts as packed blocks in slabs, kept in the workers' memory
field       Field: the accounts as the solver sees them: read, draw, sift, place
solving     solve(problem, session) · solve_frame(frame, limits) -> Solution: prices, whole accounts and proof
standalone  a cluster of one's own on this machine

Nothing here is imported, and pyspark is not needed, unless an engine is asked for. What travels: prices to the workers, sums
as small as cells × agencies back, and the contested accounts, a few hundred an agency.
"""

from __future__ import annotations
