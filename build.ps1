# A thin front of packaging/tasks.py for Windows:  .\build.ps1 demo
# Tasks: setup, demo, test, test-deep, run, bench, lint, clean, windows, windows-test. What follows the task goes to it:  .\build.ps1 test -k weights
# Where scripts are not allowed:  powershell -ExecutionPolicy Bypass -File build.ps1 demo
$tasks = Join-Path (Join-Path $PSScriptRoot 'packaging') 'tasks.py'

if (Get-Command py -ErrorAction SilentlyContinue) {
    & py -3.11 $tasks @args
} elseif (Get-Command python -ErrorAction SilentlyContinue) {
    & python $tasks @args
} else {
    Write-Host 'Python 3.11 is not installed: winget install Python.Python.3.11, then open a new window.'
    exit 1
}
exit $LASTEXITCODE
