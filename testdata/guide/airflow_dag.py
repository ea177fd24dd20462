"""Sends the customers to Klaviyo every morning. Each attempt at a run resumes the ones before."""

import os
import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="30 6 * * *", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def newsletter():
    @task(retries=4, retry_delay=timedelta(minutes=5), execution_timeout=timedelta(hours=3))
    def export(run_id=None):
        status = subprocess.run(["/opt/klaviyo/export.sh"], env={**os.environ, "RUN": run_id}).returncode
        if status in (1, 2):  # somebody has to look: no retries
            raise AirflowFailException(f"exit status {status}")
        if status != 0:
            raise AirflowException(f"exit status {status}")

    export()


newsletter()
